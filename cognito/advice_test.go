package cognito_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
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

// TestAdviceOnKeys: tokens that name an unknown key are refused, and the log says once what to do,
// by whichever way they come. It shows nothing of the tokens.
func TestAdviceOnKeys(t *testing.T) {
	pool := testpool.New(t)
	access := pool.Sign("rogue", map[string]any{"token_use": "access", "client_id": testpool.Client}, alice, nil)
	id := pool.Sign("rogue", idClaims(alice), alice, nil)
	for name, use := range map[string]func(c *cognito.Client) error{
		"cookies": func(c *cognito.Client) error {
			_, err := tokens(t, c, session(alice, access, id, "r"))
			return err
		},
		"a bearer token": func(c *cognito.Client) error {
			_, err := c.BearerTokenProvider(access).Tokens(t.Context(), amplify.TokensInput{})
			return err
		},
		"a new session": func(c *cognito.Client) error {
			return c.Providers(&storage{}).Session.Start(t.Context(), amplify.IssuedTokens{
				AccessToken: amplify.NewSecret(access), IDToken: amplify.NewSecret(id),
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			o := pool.Options()
			o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
			c := newCognitoFor(t, pool.Config(), o, cognito.Options{})
			if _, err := tokens(t, c, session(alice, pool.Access(alice), pool.ID(alice), "r")); err != nil {
				t.Fatal(err)
			}
			if log.Len() > 0 {
				t.Errorf("advice on a good session: %s", &log)
			}
			for range 3 {
				if err := use(c); amplify.ReasonOf(err) != amplify.ReasonUnknownKey {
					t.Fatalf("%v, want the reason unknown_key", err)
				}
			}
			if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "deleted and made again") {
				t.Errorf("want one line of advice:\n%s", &log)
			}
			for _, secret := range []string{alice.Sub, alice.Name, "rogue", access} {
				if strings.Contains(log.String(), secret) {
					t.Errorf("the log shows %q:\n%s", secret, &log)
				}
			}
		})
	}
}
