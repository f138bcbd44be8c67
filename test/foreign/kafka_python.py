# Produces, consumes in a group, commits and lists topics; prints what it saw as one line of JSON.
import json
import sys

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

task = json.loads(sys.argv[1])
topic, count = task["topic"], task["count"]
common = {"bootstrap_servers": task["bootstrapServers"]}
if "user" in task:
    common.update(
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism=task["mechanism"],
        sasl_plain_username=task["user"],
        sasl_plain_password=task["password"],
    )

admin = KafkaAdminClient(**common)
admin.create_topics([NewTopic(topic, 3, 1)])
producer = KafkaProducer(**common)
for i in range(count):
    producer.send(topic, key=b"k%d" % i, value=b"v%d" % i)
producer.flush()
producer.close()
consumer = KafkaConsumer(topic, group_id=topic, auto_offset_reset="earliest", enable_auto_commit=False, **common)
values = []
while len(values) < count:
    for records in consumer.poll(timeout_ms=500).values():
        values.extend(record.value.decode() for record in records)
consumer.commit()
consumer.close()
print(json.dumps({"values": values, "topics": sorted(admin.list_topics())}))
admin.close()
