package flow

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

func TestConformanceOrigins(t *testing.T) {
	conformance.Run(t, "origins.json", originExceptions(), func(t *testing.T, c conformance.Case) error {
		var in struct {
			Origin       string
			RedirectURLs []string
		}
		if err := json.Unmarshal(c.Input, &in); err != nil {
			return err
		}
		own, fault := parseOrigin(in.Origin)
		got := map[string]any{}
		if c.Want("isValidOrigin") != nil {
			got["isValidOrigin"] = map[string]any{"value": fault == nil}
			got["isSSLOrigin"] = map[string]any{"value": own.secure()}
			got["warnsInsecure"] = own.insecure()
			// What the JavaScript engine throws for is not valid.
			for _, asked := range []string{"isValidOrigin", "isSSLOrigin"} {
				if c.Want(asked, "error", "name") == "TypeError" {
					c = c.Expect(map[string]any{"value": false}, asked)
				}
			}
			return conformance.Diff(c.Expected, got)
		}
		if fault != nil {
			return fault
		}
		for member, kind := range map[string]string{"redirectSignIn": "RedirectSignIn", "redirectSignOut": "RedirectSignOut"} {
			u, fault := own.redirect(kind, "", in.RedirectURLs, func(*url.URL) bool { return false })
			if fault != nil {
				got[member] = map[string]any{"error": map[string]any{"name": fault.Err.Name, "message": fault.Err.Message}}
				continue
			}
			got[member] = map[string]any{"value": u.String()}
		}
		return conformance.Diff(c.Expected, got)
	})
}

func TestConformanceOAuthState(t *testing.T) {
	conformance.Run(t, "oauth-state.json", stateExceptions(), func(t *testing.T, c conformance.Case) error {
		var in struct {
			Kind, Verifier, Method, Name, Prefix, Identifier, URL string
			Length                                                int
			CustomState, Error, ErrorDescription                  string
		}
		var want struct {
			samples
			Method                                   string
			CodeChallenge, URLSafeEncode, StateShape string
			RatioFirst8ToRest                        float64
			Value                                    any
			IsString                                 bool
			Keys                                     map[string]string
			PrefixConstant                           string
			DefaultMaxAge                            int
		}
		if err := errors.Join(json.Unmarshal(c.Input, &in), json.Unmarshal(c.Expected, &want)); err != nil {
			return err
		}
		u, _ := url.Parse(in.URL)
		switch in.Kind {
		case "state":
			return want.diff(func() string { return newState("") })
		case "verifier":
			if n, ok := want.Value.(float64); ok {
				return differs("length", int(n), len(randomText(in.Length)))
			}
			return errors.Join(
				differs("method", want.Method, challengeMethod),
				want.diff(func() string { return randomText(in.Length) }))
		case "bias":
			first, rest := 0, 0
			for _, r := range randomText(200_000) {
				if 'A' <= r && r <= 'H' {
					first++
				} else {
					rest++
				}
			}
			ratio := float64(first) / 8 / (float64(rest) / 54)
			if math.Abs(ratio-want.RatioFirst8ToRest) > 0.05 {
				return fmt.Errorf("ratio %.3f", ratio)
			}
			return nil
		case "challenge":
			return errors.Join(
				differs("method", in.Method, challengeMethod),
				differs("challenge", want.CodeChallenge, oauth2.S256ChallengeFromVerifier(in.Verifier)))
		case "customState":
			state := newState(in.CustomState)
			return errors.Join(
				differs("encoded", want.URLSafeEncode, urlSafe(in.CustomState)),
				differs("state", want.StateShape, "{{state}}"+state[stateLength:]),
				differs("recognised", true, isState(state)))
		case "provider":
			got := identityProvider(u.Query().Get("provider"))
			return errors.Join(differs("provider", text(want.Value), got), differs("is a text", want.IsString, got != ""))
		case "query":
			var got any
			if u.Query().Has(in.Name) {
				got = u.Query().Get(in.Name)
			}
			return differs("value", want.Value, got)
		case "errorQuery":
			return differs("query", text(want.Value), strings.TrimPrefix(strings.TrimPrefix(
				addQuery("/", "error", in.Error, "error_description", in.ErrorDescription), "/"), "?"))
		case "keys":
			err := errors.Join(
				differs("prefix", want.PrefixConstant+".", sessionkey.ClientPrefix),
				differs("given prefix", in.Prefix+".", sessionkey.ClientPrefix),
				differs("Max-Age", want.DefaultMaxAge, defaultMaxAge(t)))
			for _, key := range []string{
				sessionkey.AccessToken, sessionkey.IDToken, sessionkey.RefreshToken, sessionkey.ClockDrift, sessionkey.SignInDetails, sessionkey.DeviceKey,
				sessionkey.DeviceGroupKey, sessionkey.RandomPasswordKey, sessionkey.OAuthMetadata, sessionkey.OIDCProvider,
			} {
				err = errors.Join(err, differs(key, want.Keys[key], sessionkey.Prefix(in.Identifier)+key))
				delete(want.Keys, key)
			}
			return errors.Join(err, differs("keys that we do not have", 0, len(want.Keys)))
		}
		return fmt.Errorf("unknown kind %q", in.Kind)
	})
}

// defaultMaxAge returns how many seconds browsers keep the cookies of a session by default.
func defaultMaxAge(t *testing.T) int {
	f := newFixture(t, nil, nil)
	f = newFixture(t, f.backend.Refreshed("alice"), nil)
	w := serve(f.page(), request("/", f.backend.Session("alice", -time.Minute, nil)))
	seconds, _ := strconv.Atoi(setCookies(w.Header["Set-Cookie"])[testPrefix+"alice.refreshToken"]["max-age"])
	return seconds
}

// samples are length and characters of many random texts.
type samples struct {
	Samples  int
	Lengths  []int
	Alphabet string
	Distinct bool
}

// diff compares the texts that sample makes.
func (want samples) diff(sample func() string) error {
	seen := map[string]bool{}
	var all []byte
	for range want.Samples {
		s := sample()
		if !slices.Contains(want.Lengths, len(s)) {
			return fmt.Errorf("sample %q", s)
		}
		seen[s] = true
		all = append(all, s...)
	}
	slices.Sort(all)
	return errors.Join(
		differs("samples that differ", want.Distinct, len(seen) == want.Samples),
		differs("alphabet", want.Alphabet, string(slices.Compact(all))))
}

func differs[T comparable](what string, want, got T) error {
	if want != got {
		return fmt.Errorf("%s: recorded %v, ours %v", what, want, got)
	}
	return nil
}
