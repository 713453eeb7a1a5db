package cognito_test

import (
	"net/http"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/testpool"
)

// BenchmarkWarmTokens is a request of a known session, from the Cookie header to the tokens: 2 us
// and 6 allocations at most.
func BenchmarkWarmTokens(b *testing.B) {
	pool := testpool.New(b)
	c := newCognito(b, pool, cognito.Options{})
	header := http.Header{"Cookie": {"theme=dark; " + testpool.Cookies(alice, pool.Access(alice), pool.ID(alice), "refresh-1") +
		"; " + testpool.Prefix + "alice.clockDrift=-120" +
		"; " + testpool.Prefix + "alice.signInDetails={%22loginId%22:%22alice%22%2C%22authFlowType%22:%22USER_SRP_AUTH%22}"}}
	b.ReportAllocs()
	for b.Loop() {
		kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(header, nil), cookie.Options{})
		if _, err := c.TokenProvider(kv).Tokens(b.Context(), amplify.TokensInput{}); err != nil {
			b.Fatal(err)
		}
	}
}
