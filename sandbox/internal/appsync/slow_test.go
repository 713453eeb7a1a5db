package appsync

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amplify-go/amplify/sandbox/function"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// startAPI starts an API of a schema, with the key "key". set changes its configuration.
func startAPI(t *testing.T, text string, set func(*Config)) *API {
	t.Helper()
	modes := []schema.Provider{schema.APIKey, schema.UserPool, schema.Function}
	s, err := schema.Read("test.graphql", text,
		schema.Options{Default: modes[0], Additional: modes[1:]})
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	cfg := Config{Schema: s, Modes: modes, APIKey: "key", Store: st, Clock: time.Now,
		Logger: slog.New(slog.DiscardHandler)}
	set(&cfg)
	a, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const holdSchema = `
type Note @model @auth(rules: [{allow: public}, {allow: custom}]) { text: String }
type Query {
  hold: String @function(name: "hold") @auth(rules: [{allow: public}, {allow: custom}])
  other: String @function(name: "other") @auth(rules: [{allow: public}])
}`

// single is a listener with one connection.
type single struct {
	conn chan net.Conn
	done chan struct{}
}

func (s *single) Accept() (net.Conn, error) {
	select {
	case c := <-s.conn:
		return c, nil
	case <-s.done:
		return nil, net.ErrClosed
	}
}

func (s *single) Close() error   { close(s.done); return nil }
func (s *single) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// TestSlowClients: a client that stalls while it sends its request, or while it reads the answer,
// loses its connection when its time is over.
func TestSlowClients(t *testing.T) {
	for name, tt := range map[string]struct {
		length int // of the body that is announced
		want   string
	}{
		"sending": {1000, "400 Bad Request"},
		"reading": {len(`{"query": "{ listNotes { items { id } } }"}`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := startAPI(t, holdSchema, func(*Config) {})
				listener := &single{make(chan net.Conn, 1), make(chan struct{})}
				here, there := net.Pipe() // without buffers
				listener.conn <- there
				ended := make(chan struct{})
				server := &http.Server{Handler: a, ConnState: func(_ net.Conn, s http.ConnState) {
					if s == http.StateClosed {
						close(ended)
					}
				}}
				go func() { _ = server.Serve(listener) }()
				defer server.Close()
				begun := time.Now()
				_, err := fmt.Fprintf(here, "POST /graphql HTTP/1.1\r\nHost: api\r\nX-Api-Key: key\r\n"+
					"Content-Length: %d\r\n\r\n"+`{"query": "{ listNotes { items { id } } }"}`, tt.length)
				if err != nil {
					t.Fatal(err)
				}
				if tt.want != "" {
					status, _ := bufio.NewReader(here).ReadString('\n')
					if !strings.Contains(status, tt.want) {
						t.Errorf("the answer begins with %q", status)
					}
					go func() { _, _ = bufio.NewReader(here).WriteTo(discard{}) }()
				}
				<-ended
				if got := time.Since(begun).Round(time.Second); got != maxDuration {
					t.Errorf("the connection ended after %v", got)
				}
			})
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// TestFunctionsThatHang: callers of a function that never returns get AWS's answer when their time
// is over. However many they are, only so many calls run, and other functions are not held up.
func TestFunctionsThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var running atomic.Int64
		a := startAPI(t, holdSchema, func(c *Config) {
			c.Functions = map[string]function.Handler{
				"Query.hold": func(context.Context, function.Event) (any, error) {
					running.Add(1)
					<-release
					return nil, nil
				},
				"Query.other": func(context.Context, function.Event) (any, error) { return "here", nil },
			}
		})
		key := &Caller{Identity: schema.Identity{Provider: schema.APIKey}}
		const hang = `{"query": "{ a: hold }"}`
		answers := make(chan string)
		for range maxCalls + 50 {
			go func() {
				answer, err := a.Ask(t.Context(), key, []byte(hang))
				answers <- fmt.Sprint(string(answer), err)
			}()
		}
		synctest.Wait()
		if got := running.Load(); got != maxCalls {
			t.Errorf("%d calls run at once", got)
		}
		other, err := a.Ask(t.Context(), key, []byte(`{"query": "{ other }"}`))
		if err != nil || string(other) != `{"data":{"other":"here"}}` {
			t.Errorf("another function: %s, %v", other, err)
		}
		for range maxCalls + 50 {
			got, want := <-answers, `{"data":null,"errors":[{"path":null,"locations":null,`+
				`"message":"Execution timed out."}]}<nil>`
			if got != want {
				t.Error(got)
			}
		}
		close(release)
		synctest.Wait()
		if answer, err := a.Ask(t.Context(), key, []byte(hang)); err != nil ||
			string(answer) != `{"data":{"a":null}}` {
			t.Errorf("once the calls have returned: %s, %v", answer, err)
		}
	})
}

// TestAuthorizer: an answer serves a token until its time is over, whatever is asked for. Errors,
// panics and authorizers that take too long refuse, and are asked again.
func TestAuthorizer(t *testing.T) {
	type want struct {
		after time.Duration
		asked bool
	}
	for name, tt := range map[string]struct {
		api, answer time.Duration
		want        []want
	}{
		"by default": {0, 0, []want{{0, true}, {authorizerTTL - 1, false}, {1, true}}},
		"of the API": {time.Minute, 0, []want{{0, true}, {time.Minute - 1, false}, {1, true}}},
		"of the answer": {time.Minute, time.Second,
			[]want{{0, true}, {time.Second - 1, false}, {1, true}}},
		"at most":                       {0, 2 * time.Hour, []want{{0, true}, {time.Hour - 1, false}, {1, true}}},
		"none of the API":               {-1, 0, []want{{0, true}, {0, true}}},
		"none of the answer":            {0, -1, []want{{0, true}, {0, true}}},
		"of the answer, not of the API": {-1, time.Second, []want{{0, true}, {0, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			now, asked := time.Now(), 0
			a := startAPI(t, holdSchema, func(c *Config) {
				c.Clock, c.AuthorizerTTL = func() time.Time { return now }, tt.api
				c.Authorizer = func(_ context.Context, r function.AuthorizerRequest) (
					function.AuthorizerResponse, error) {
					asked++
					return function.AuthorizerResponse{IsAuthorized: r.Token == "good", TTL: tt.answer,
						DeniedFields: []string{"Note.text"}}, nil
				}
			})
			for i, w := range tt.want {
				now = now.Add(w.after)
				for token, good := range map[string]bool{"good": true, "bad": false} {
					before := asked
					body := fmt.Sprintf(`{"query": "{ n%d: listNotes { items { id } } }"}`, i)
					err := a.Connect(t.Context(), a.request(t, "Authorization", token, body), body)
					if (err == nil) != good || (asked > before) != w.asked {
						t.Errorf("step %d, token %s: %v, asked %v", i, token, err, asked > before)
					}
				}
			}
		})
	}
	t.Run("failures", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			asked := map[string]*atomic.Int64{"error": {}, "panic": {}, "slow": {}}
			release := make(chan struct{})
			defer close(release)
			a := startAPI(t, holdSchema, func(c *Config) {
				c.Authorizer = func(_ context.Context, r function.AuthorizerRequest) (
					answer function.AuthorizerResponse, err error) {
					asked[r.Token].Add(1)
					answer.IsAuthorized = true
					switch r.Token {
					case "error":
						err = errors.New("no")
					case "panic":
						panic("secret")
					case "slow":
						<-release
					}
					return answer, err
				}
			})
			for _, token := range []string{"error", "panic", "slow"} {
				for i := range 2 {
					begun := time.Now()
					err := a.Connect(t.Context(), a.request(t, "Authorization", token, "{}"), "{}")
					if !errors.Is(err, notAuthorized) || asked[token].Load() != int64(i+1) {
						t.Errorf("%s: %v, asked %d times", token, err, asked[token].Load())
					}
					if token == "slow" && time.Since(begun) != authorizerTimeout {
						t.Errorf("answered after %v", time.Since(begun))
					}
				}
			}
		})
	})
	t.Run("many tokens", func(t *testing.T) {
		a := startAPI(t, holdSchema, func(c *Config) {
			c.Authorizer = func(context.Context, function.AuthorizerRequest) (
				function.AuthorizerResponse, error) {
				return function.AuthorizerResponse{}, nil
			}
		})
		for i := range maxAnswers + 100 {
			_ = a.Connect(t.Context(), a.request(t, "Authorization", fmt.Sprint("token ", i), "{}"), "{}")
		}
		if got := len(a.authorizer.answers); got != maxAnswers {
			t.Errorf("%d answers are kept", got)
		}
	})
}
