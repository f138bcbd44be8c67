// Produces, consumes in a group, commits and lists topics; prints what it saw as one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

type task struct {
	BootstrapServers, Topic, User, Password, Mechanism string
	Count                                              int
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	var t task
	must(json.Unmarshal([]byte(os.Args[1]), &t))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Second)
	defer cancel()
	common := []kgo.Opt{kgo.SeedBrokers(strings.Split(t.BootstrapServers, ",")...)}
	switch t.Mechanism {
	case "PLAIN":
		common = append(common, kgo.SASL(plain.Auth{User: t.User, Pass: t.Password}.AsMechanism()))
	case "SCRAM-SHA-256":
		common = append(common, kgo.SASL(scram.Auth{User: t.User, Pass: t.Password}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		common = append(common, kgo.SASL(scram.Auth{User: t.User, Pass: t.Password}.AsSha512Mechanism()))
	}
	client, err := kgo.NewClient(common...)
	must(err)
	defer client.Close()
	admin := kadm.NewClient(client)
	_, err = admin.CreateTopic(ctx, 3, 1, nil, t.Topic)
	must(err)
	for i := 0; i < t.Count; i++ {
		client.Produce(ctx, &kgo.Record{Topic: t.Topic, Key: []byte(fmt.Sprintf("k%d", i)), Value: []byte(fmt.Sprintf("v%d", i))}, func(_ *kgo.Record, err error) { must(err) })
	}
	must(client.Flush(ctx))
	consumer, err := kgo.NewClient(append(common, kgo.ConsumerGroup(t.Topic), kgo.ConsumeTopics(t.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())...)
	must(err)
	values := []string{}
	for len(values) < t.Count {
		fetches := consumer.PollFetches(ctx)
		for _, fault := range fetches.Errors() {
			must(fault.Err)
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	must(consumer.CommitUncommittedOffsets(ctx))
	must(consumer.LeaveGroupContext(ctx))
	consumer.Close()
	topics, err := admin.ListTopics(ctx)
	must(err)
	out, err := json.Marshal(map[string]any{"values": values, "topics": topics.Names()})
	must(err)
	fmt.Println(string(out))
}
