package cognito

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/testpool"
	"github.com/amplify-go/amplify/internal/token"
)

func newBenchmarked(b *testing.B, pool *testpool.Pool, o Options) *Client {
	b.Helper()
	app, err := amplify.New(pool.IdentityConfig(), pool.Options())
	if err != nil {
		b.Fatal(err)
	}
	c, err := New(app, o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// BenchmarkFirstSeenSession verifies an access and an ID token that were never seen.
func BenchmarkFirstSeenSession(b *testing.B) {
	pool := testpool.New(b)
	c := newBenchmarked(b, pool, Options{})
	access, id := pool.Access(testpool.Alice), pool.ID(testpool.Alice)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.verifyPair(b.Context(), access, id); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSessionBytes remembers 100,000 sessions with their users' identities and AWS
// credentials, and reports the memory that each takes: 4 KiB at most. Their tokens have the size of
// Cognito's; since signing them all would take minutes, they enter below the check of signatures.
func BenchmarkSessionBytes(b *testing.B) {
	const sessions = 100_000
	pool := testpool.New(b)
	sub := func(i int) string { return fmt.Sprintf("6f8b1c2a-1111-4222-8333-%012d", i) }
	u := testpool.User{Sub: sub(0), Name: sub(0)} // where users sign in with an e-mail address, their name is their sub
	mint := func(more map[string]any) (string, []byte) {
		payload, err := json.Marshal(pool.Claims(more, u))
		if err != nil {
			b.Fatal(err)
		}
		header := base64.RawURLEncoding.EncodeToString([]byte(`{"kid":"R3Vtb1hKQUF3d3JyUlpzT1hLVGx0ZGVYdz0","alg":"RS256"}`))
		return header + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + strings.Repeat("s", 342), payload
	}
	access, accessPayload := mint(map[string]any{
		"token_use": "access", "client_id": testpool.Client, "username": u.Name, "scope": "aws.cognito.signin.user.admin openid profile email",
		"version": 2, "jti": "a0000000-0000-4000-8000-000000000001", "cognito:groups": []string{"admins", "editors"},
	})
	id, idPayload := mint(map[string]any{
		"token_use": "id", "aud": testpool.Client, "cognito:username": u.Name, "email": "a.user@example.com", "email_verified": true,
		"name": "A Name of Usual Length", "jti": "b0000000-0000-4000-8000-000000000002", "cognito:groups": []string{"admins", "editors"},
	})
	signedBy := &key{set: newKeySet(nil, nil, testpool.Issuer, "", false)}
	parse := func(use string, payload []byte) *token.Payload {
		cl := &token.Payload{}
		if err := json.Unmarshal(payload, cl); err != nil {
			b.Fatal(err)
		}
		cl.TokenUse, cl.ClientID = use, testpool.Client
		return cl
	}
	accessClaims, idClaims := parse(token.UseAccess, accessPayload), parse(token.UseID, idPayload)
	clone := func(texts []string) []string {
		texts = slices.Clone(texts)
		for i := range texts {
			texts[i] = strings.Clone(texts[i])
		}
		return texts
	}
	verified := func(raw string, of *token.Payload, i int) *token.Verified {
		cl := *of
		cl.Subject, cl.Username, cl.Scopes, cl.Groups = sub(i), sub(i), clone(of.Scopes), clone(of.Groups)
		cl.OriginJTI = fmt.Sprintf("%s-%d", cl.OriginJTI, i)
		return &token.Verified{Raw: raw, Payload: &cl, Key: signedBy}
	}
	for b.Loop() {
		c := newBenchmarked(b, pool, Options{MaxSessions: sessions})
		before := heap()
		for i := range sessions {
			s := newSession(verified(access, accessClaims, i), verified(id, idClaims, i))
			c.sessions.Set(newSessionID("cookies", sub(i)), s)
			c.remember(i)
		}
		c.sessions.CleanUp()
		b.ReportMetric(float64(heap()-before)/sessions, "B/session")
		b.ReportMetric(float64(len(access)+len(id)), "B/tokens")
		if n := c.sessions.EstimatedSize(); n != sessions {
			b.Fatalf("%d sessions are remembered, want %d", n, sessions)
		}
	}
}

// remember remembers the identity and the credentials of a user. Cognito's session tokens have
// somewhat more than a thousand characters.
func (c *Client) remember(i int) {
	id := fmt.Sprintf("eu-west-1:%08d-2222-4333-8444-955556666777", i)
	key := newSessionID(strconv.Itoa(i))
	c.identities.identities.Set(key, id)
	c.identities.users.given.Set(key, &grant{credentials: amplify.Credentials{
		AccessKeyID:     fmt.Sprintf("ASIA%016d", i),
		SecretAccessKey: amplify.NewSecret(fmt.Sprintf("%040d", i)),
		SessionToken:    amplify.NewSecret(fmt.Sprintf("%01100d", i)),
		Expires:         c.now().Add(time.Hour),
		IdentityID:      id,
	}, renew: c.now().Add(time.Hour)})
}

// BenchmarkSessionBytesByDoor lets 2,000 users' real tokens in by the front door, signatures and
// all, together with their credentials, and reports what each takes: the same as in
// BenchmarkSessionBytes, whose tokens enter below the check of signatures.
func BenchmarkSessionBytesByDoor(b *testing.B) {
	const sessions = 2_000
	pool := testpool.New(b)
	headers := make([]http.Header, sessions)
	for i := range headers {
		u := testpool.User{Sub: fmt.Sprintf("6f8b1c2a-1111-4222-8333-%012d", i), Name: fmt.Sprintf("user-%d", i)}
		headers[i] = http.Header{"Cookie": {testpool.Cookies(u, pool.Access(u), pool.ID(u), "refresh")}}
	}
	for b.Loop() {
		c := newBenchmarked(b, pool, Options{})
		before := heap()
		for i, header := range headers {
			// A header of its own: what is remembered must not keep it.
			header = http.Header{"Cookie": {strings.Clone(header["Cookie"][0])}}
			p := c.Providers(cookie.NewKeyValueStorage(cookie.NewHeaderStore(header, nil), cookie.Options{}))
			if _, err := p.Tokens.Tokens(b.Context(), amplify.TokensInput{}); err != nil {
				b.Fatal(err)
			}
			c.remember(i)
		}
		c.sessions.CleanUp()
		b.ReportMetric(float64(heap()-before)/sessions, "B/session")
	}
	runtime.KeepAlive(headers)
}

// BenchmarkFlatMemory lets a million users' credentials pass through caches that are bounded to
// 100,000, and reports how much memory they take at the end in relation to that after the first
// 200,000: about 1.
func BenchmarkFlatMemory(b *testing.B) {
	const bound, first, all = 100_000, 200_000, 1_000_000
	pool := testpool.New(b)
	for b.Loop() {
		c := newBenchmarked(b, pool, Options{MaxSessions: bound})
		before := heap()
		var early uint64
		for i := range all {
			if i == first {
				c.identities.users.given.CleanUp()
				c.identities.identities.CleanUp()
				early = heap() - before
			}
			c.remember(i)
		}
		c.identities.users.given.CleanUp()
		c.identities.identities.CleanUp()
		b.ReportMetric(float64(heap()-before)/float64(early), "growth")
		b.ReportMetric(float64(heap()-before)/(1<<20), "MiB")
		if n := c.identities.users.given.EstimatedSize(); n > bound {
			b.Fatalf("%d credentials are remembered, %d are allowed", n, bound)
		}
	}
}

// BenchmarkRefreshContention is a request with an expired session among many with the same: one
// refresh serves all.
func BenchmarkRefreshContention(b *testing.B) {
	pool := testpool.New(b)
	pool.OnRefresh(func(map[string]any) testpool.Answer { return pool.Refreshed(testpool.Alice, "r2") })
	c := newBenchmarked(b, pool, Options{})
	presented, err := c.verifyPair(b.Context(), pool.Access(testpool.Alice), pool.ID(testpool.Alice))
	if err != nil {
		b.Fatal(err)
	}
	of := newSession(presented.Access, presented.ID)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.refresh(b.Context(), of, "r1", "", amplify.TokensInput{}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(len(pool.Refreshes())), "refreshes")
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
