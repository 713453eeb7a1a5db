package cognito_test

import (
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/testpool"
)

// FuzzToken: no text but the token itself verifies, and nothing panics.
func FuzzToken(f *testing.F) {
	pool := testpool.New(f)
	c := newCognito(f, pool, cognito.Options{})
	good := pool.Access(alice)
	head, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	for _, seed := range []string{
		good, "", ".", "..", "...", "a.b.c", head + "." + payload + ".", head + ".." + signature, "." + payload + "." + signature,
		good + "=", good + ".", " " + good, strings.ToUpper(good), pool.ID(alice), pool.Access(bob)[:200],
		"eyJhbGciOiJub25lIn0." + payload + ".", "bnVsbA.bnVsbA.bnVsbA",
		pool.JWT(jwt.SigningMethodHS256, []byte("x"), map[string]any{"kid": "key-1"}, pool.Claims(nil, alice)),
	} {
		f.Add(seed)
	}
	id := pool.ID(alice)
	f.Fuzz(func(t *testing.T, token string) {
		for _, err := range []error{
			func() error { _, err := tokens(t, c, session(alice, token, id, "")); return err }(),
			func() error {
				_, err := c.BearerTokenProvider(token).Tokens(t.Context(), amplify.TokensInput{})
				return err
			}(),
		} {
			switch {
			case err == nil && token != good:
				t.Errorf("%q verifies", token)
			case err != nil && token == good:
				t.Errorf("the token itself does not: %v", err)
			case err != nil && amplify.ReasonOf(err) == "":
				t.Errorf("no reason: %v", err)
			}
		}
	})
}

// FuzzSelection reads sessions from arbitrary storages: whatever there is under whatever keys, the
// tokens that come out belong to one user and were there, under the name that LastAuthUser gives.
//
// A line is a key and a value; $a and $i stand for the tokens of Alice, $b and $j for Bob's, $o for
// an older one.
func FuzzSelection(f *testing.F) {
	pool := testpool.New(f)
	c := newCognito(f, pool, cognito.Options{})
	values := map[string]string{
		"$a": pool.Access(alice), "$i": pool.ID(alice), "$b": pool.Access(bob), "$j": pool.ID(bob),
		"$o": pool.Access(alice, testpool.Claim{Name: "iat", Value: pool.Now().Unix() - 60}),
	}
	for _, seed := range []string{
		"LastAuthUser alice\nalice.accessToken $a\nalice.idToken $i\nalice.refreshToken r",
		"LastAuthUser bob\nLastAuthUser alice\nbob.accessToken $a\nbob.idToken $j\nalice.accessToken $b\nalice.idToken $i",
		"LastAuthUser alice\nalice.accessToken $b\nalice.accessToken $a\nalice.idToken $j\nalice.idToken $i\nalice.clockDrift -9",
		"username.accessToken $a\nusername.idToken $j\nusername.accessToken $b\nusername.accessToken $o",
		"LastAuthUser .\n..accessToken $a\n..idToken $i\n.accessToken $a\naccessToken $a",
		"LastAuthUser x.accessToken\nx.accessToken $a\nx.accessToken.accessToken $a\nx.accessToken.idToken $i",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		kv := &storage{}
		for line := range strings.Lines(lines) {
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if v, ok := values[value]; ok {
				value = v
			}
			kv.add(key, value)
		}
		got, err := tokens(t, c, kv)
		if err != nil {
			if amplify.ReasonOf(err) == "" {
				t.Errorf("no reason: %v", err)
			}
			return
		}
		access, id := got.AccessToken.Claims(), got.IDToken.Claims()
		if access.Subject != id.Subject || access.Username != id.Username {
			t.Errorf("tokens of %s and %s", access.Username, id.Username)
		}
		names := kv.get("LastAuthUser")
		if len(strings.Join(names, "")) == 0 {
			names = []string{"username"}
		}
		for _, name := range names {
			if contains(kv, name+".accessToken", got.AccessToken) && contains(kv, name+".idToken", got.IDToken) {
				return
			}
		}
		t.Errorf("tokens that %q do not select", names)
	})
}

// contains reports whether a token is kept under exactly that key.
func contains(kv *storage, key string, token *amplify.Token) bool {
	for _, e := range kv.entries {
		if e[0] == testpool.Prefix+key && e[1] == token.Reveal() {
			return true
		}
	}
	return false
}
