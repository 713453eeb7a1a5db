package realtime

import (
	"strings"
	"testing"
)

// BenchmarkFanOut is a mutation with 200 subscribers, until all of them have it.
func BenchmarkFanOut(b *testing.B) {
	back := start(b, testSchema, nil)
	var clients []*client
	for range 200 {
		c := back.connect(withKey())
		got := c.start("1", `subscription { onUpdateNote { id text } }`, withKey())
		if !strings.Contains(got, "start_ack") {
			b.Fatal(got)
		}
		clients = append(clients, c)
	}
	back.mutate(`mutation { createNote(input: {id: "1", must: "x"}) { id } }`, withKey())
	for b.Loop() {
		back.mutate(`mutation { updateNote(input: {id: "1", text: "x"}) { id text } }`, withKey())
		for _, c := range clients {
			c.receive()
		}
	}
}
