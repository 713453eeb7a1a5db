package cognito

import (
	"fmt"
	"iter"
	"testing"
	"time"
	"unsafe"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/testpool"
)

// TestCallsKeepNoRequestMemory: what goes on when a request has ended has copies of its texts.
func TestCallsKeepNoRequestMemory(t *testing.T) {
	pool := testpool.New(t)
	app, err := amplify.New(pool.IdentityConfig(), pool.Options())
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(app, Options{})
	if err != nil {
		t.Fatal(err)
	}
	token, device := "refresh-token", "device-key"
	r := c.newRedemption(&session{}, token, device, amplify.TokensInput{})
	f := c.newEndedSession(nil, []string{token})
	guest := visitor{c.identities.guestKey(), "eu-west-1:11111111-0000-4000-8000-000000000001"}
	for name, texts := range map[string][2]string{
		"refresh token": {token, r.refreshToken}, "device key": {device, r.deviceKey}, "token to revoke": {token, f.refreshTokens[0]},
		"guest's id": {guest.id, c.identities.guestID(guest)},
	} {
		if texts[0] != texts[1] || unsafe.StringData(texts[0]) == unsafe.StringData(texts[1]) {
			t.Errorf("%s: the very memory of the request", name)
		}
	}
}

// visitor is a storage that holds a guest's id.
type visitor struct{ key, id string }

func (v visitor) All(string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) { yield(v.key, v.id) }
}
func (visitor) Set(string, string) error { return nil }
func (visitor) Delete(string) error      { return nil }
func (visitor) Writable() bool           { return true }

// TestMemoryIsBounded: what is remembered has the bounds of docs/architecture.md.
func TestMemoryIsBounded(t *testing.T) {
	h, now := newHandoff(), time.Now()
	for i := range 12_000 {
		token := func(kind string, i int) tokenHash { return tokenHash(newSessionID(kind, fmt.Sprint(i))) }
		h.put(token("refresh", i), &issued{refreshToken: "r", next: token("refresh", i+1), received: now})
		h.putCode(token("code", i), &issued{refreshToken: "r", next: token("of code", i), received: now})
	}
	for name, n := range map[string][2]int{
		"hand-offs":    {len(h.answers.entries), 10_000},
		"codes":        {len(h.codes.entries), 1_000},
		"predecessors": {len(h.predecessors.entries), 11_000},
	} {
		if n[0] > n[1] {
			t.Errorf("%d %s, want %d at most", n[0], name, n[1])
		}
	}

	pool := testpool.New(t)
	app, err := amplify.New(pool.IdentityConfig(), pool.Options())
	if err != nil {
		t.Fatal(err)
	}
	const most = 10
	c, err := New(app, Options{MaxSessions: most})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 * most {
		id := newSessionID(fmt.Sprint(i))
		c.sessions.Set(id, &session{})
		c.identities.users.given.Set(id, &grant{})
		c.identities.identities.Set(id, "id")
	}
	c.identities.identities.CleanUp()
	for name, n := range map[string]int{
		"sessions": c.KnownSessions(), "credentials": c.KnownCredentials(), "identities": c.identities.identities.EstimatedSize(),
	} {
		if n > most {
			t.Errorf("%d %s, want %d at most", n, name, most)
		}
	}
}
