package realtime

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// FuzzMessages: no message of a client makes the endpoint panic, each is answered, and a message
// that shows no key subscribes nobody.
func FuzzMessages(f *testing.F) {
	var cases []recordedCase
	text, err := os.ReadFile(filepath.Join(recorded(), "realtime.json"))
	if err == nil {
		err = json.Unmarshal(text, &cases)
	}
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range cases[:20] {
		for _, connection := range c.Expected.Connections {
			for _, m := range connection.Messages {
				if m.Client != nil {
					f.Add([]byte(m.Client))
				}
			}
		}
	}
	f.Add([]byte(`{"type": "start", "id": "1", "payload": {"data": "{\"query\": \"subscription { onCreateNote { id } }\"}",
		"extensions": {"authorization": {"host": "` + apiHost + `", "x-api-key": "x"}}}}`))
	b := start(f, testSchema, nil)
	f.Fuzz(func(t *testing.T, text []byte) {
		s := newSocket(b.handler, nil, nil)
		s.handle(t.Context(), text)
		if len(s.pending) == 0 {
			t.Error("there is no answer")
		}
		for _, answer := range s.pending {
			if !json.Valid(answer) {
				t.Errorf("%s is not JSON", answer)
			}
		}
		if len(s.active) > 0 {
			t.Error("there is a subscription of nobody")
		}
	})
}

// FuzzDecode: no authorization makes the endpoint panic.
func FuzzDecode(f *testing.F) {
	f.Add("eyJob3N0IjoiIn0")
	f.Add("eyJBdXRob3JpemF0aW9uIjoiS-RzZSsvPyJ9==")
	f.Fuzz(func(t *testing.T, encoded string) {
		if text, ok := decode(encoded); !ok && text != "" {
			t.Errorf("%q of what cannot be decoded", text)
		}
	})
}
