package cognito

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/testpool"
)

func newBenchmarked(b *testing.B, pool *testpool.Pool, o Options) *Cognito {
	b.Helper()
	app, err := amplify.New(pool.Config(), pool.Options())
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
		if _, _, err := c.verifyPair(b.Context(), access, id); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSessionBytes remembers 100,000 sessions, and reports the memory that each takes: 4 KiB at most. Their tokens have
// the size of Cognito's; since signing them all would take minutes, they enter below the check of signatures.
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
	parse := func(use string, payload []byte) *claims {
		cl := &claims{}
		if err := json.Unmarshal(payload, cl); err != nil {
			b.Fatal(err)
		}
		cl.TokenUse, cl.ClientID = use, testpool.Client
		return cl
	}
	accessClaims, idClaims := parse(tokenUseAccess, accessPayload), parse(tokenUseID, idPayload)
	clone := func(texts []string) []string {
		texts = slices.Clone(texts)
		for i := range texts {
			texts[i] = strings.Clone(texts[i])
		}
		return texts
	}
	token := func(raw string, of *claims, i int) *verified {
		cl := *of
		cl.Subject, cl.Username, cl.Scopes, cl.Groups = sub(i), sub(i), clone(of.Scopes), clone(of.Groups)
		return newVerified(raw, &cl, signedBy)
	}
	for b.Loop() {
		c := newBenchmarked(b, pool, Options{MaxSessions: sessions})
		before := heap()
		for i := range sessions {
			s := newSession(token(access, accessClaims, i), token(id, idClaims, i))
			c.sessions.Set(newSessionID("cookies", sub(i), access, id), s)
		}
		c.sessions.CleanUp()
		b.ReportMetric(float64(heap()-before)/sessions, "B/session")
		b.ReportMetric(float64(len(access)+len(id)), "B/tokens")
		if n := c.sessions.EstimatedSize(); n != sessions {
			b.Fatalf("%d sessions are remembered, want %d", n, sessions)
		}
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
