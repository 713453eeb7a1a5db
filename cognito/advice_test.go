package cognito_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/testpool"
)

// TestAdvice: what loses sessions because of how an application is set up is logged once, however
// many requests meet it, and not where nothing points to it.
func TestAdvice(t *testing.T) {
	twice := func(pool *testpool.Pool) *storage {
		kv := session(alice, pool.Access(alice), pool.ID(alice), "r")
		old := testpool.Claim{Name: "iat", Value: pool.Now().Unix() - 60}
		return kv.add("alice.accessToken", pool.Access(alice, old)).add("alice.idToken", pool.ID(alice, old))
	}
	once := func(pool *testpool.Pool) *storage {
		return session(alice, pool.Access(alice), pool.ID(alice), "r")
	}
	expired := func(pool *testpool.Pool) *storage {
		past := testpool.Claim{Name: "exp", Value: pool.Now().Unix() - 1}
		return session(alice, pool.Access(alice, past), pool.ID(alice, past), "r")
	}
	forged := func(pool *testpool.Pool) *storage {
		return once(pool).add("alice.accessToken", "x.y.z").add("alice.accessToken", "y.y.z")
	}
	for name, test := range map[string]struct {
		storage  func(*testpool.Pool) *storage
		rotation cognito.RefreshTokenRotation
		advice   string
	}{
		"one cookie of each name":           {storage: once},
		"two":                               {storage: twice, advice: "different Domains"},
		"two, of which one is no token":     {storage: forged, advice: "different Domains"},
		"refused by a pool that rotates":    {storage: expired, rotation: cognito.RotationOn, advice: "grace period"},
		"refused by a pool that does not":   {storage: expired, rotation: cognito.RotationOff},
		"refused, and nothing is known yet": {storage: expired},
	} {
		t.Run(name, func(t *testing.T) {
			pool := testpool.New(t)
			pool.OnRefresh(func(map[string]any) testpool.Answer {
				return testpool.Refused(http.StatusBadRequest, "NotAuthorizedException", "Refresh Token has been revoked")
			})
			var log bytes.Buffer
			o := pool.Options()
			o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
			c := newCognitoFor(t, pool.Config(), o, cognito.Options{RefreshTokenRotation: test.rotation})
			for range 3 {
				_, _ = tokens(t, c, test.storage(pool))
				pool.Advance(2 * time.Minute) // so that the pool is asked again
			}
			switch lines := strings.Count(log.String(), "advice="); {
			case test.advice == "" && lines > 0, test.advice != "" && lines != 1, !strings.Contains(log.String(), test.advice):
				t.Errorf("want advice about %q once:\n%s", test.advice, &log)
			}
		})
	}
}
