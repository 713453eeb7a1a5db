package flow

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

func TestConformanceOrigins(t *testing.T) {
	type outcome struct {
		Value any
		Error *struct{ Name, Message string }
	}
	conformance.Run(t, "origins.json", originExceptions(), func(t *testing.T, c conformance.Case) error {
		var in struct {
			Origin       string
			RedirectURLs []string
		}
		var want struct {
			IsValidOrigin, IsSSLOrigin      outcome
			WarnsInsecure                   bool
			RedirectSignIn, RedirectSignOut *outcome
		}
		if err := errors.Join(json.Unmarshal(c.Input, &in), json.Unmarshal(c.Expected, &want)); err != nil {
			return err
		}
		own, fault := parseOrigin(in.Origin)
		if want.RedirectSignIn == nil {
			// What the original throws for, ours finds not valid.
			return errors.Join(
				differs("valid", want.IsValidOrigin.Value == true, fault == nil),
				differs("https", want.IsSSLOrigin.Value == true, own.secure()),
				differs("insecure", want.WarnsInsecure, own.insecure()))
		}
		if fault != nil {
			return fault
		}
		for kind, want := range map[string]*outcome{"RedirectSignIn": want.RedirectSignIn, "RedirectSignOut": want.RedirectSignOut} {
			u, fault := own.redirect(kind, "no-route", in.RedirectURLs)
			switch {
			case want.Error == nil && fault != nil:
				return fault
			case want.Error == nil:
				if err := differs(kind, want.Value.(string), u.String()); err != nil {
					return err
				}
			case fault == nil || fault.Err.Name != want.Error.Name || fault.Err.Message != want.Error.Message:
				return fmt.Errorf("%s: recorded %s, ours %v", kind, want.Error.Message, fault)
			}
		}
		return nil
	})
}

func TestConformanceOAuthState(t *testing.T) {
	conformance.Run(t, "oauth-state.json", stateExceptions(), func(t *testing.T, c conformance.Case) error {
		var in struct {
			Kind, Verifier, Name, Prefix, Identifier, URL string
			Length                                        int
			CustomState, Error, ErrorDescription          string
		}
		var want struct {
			Samples                                  int
			Lengths                                  []int
			Alphabet, Method                         string
			CodeChallenge, URLSafeEncode, StateShape string
			RatioFirst8ToRest                        float64
			Value                                    any
			Keys                                     map[string]string
		}
		if err := errors.Join(json.Unmarshal(c.Input, &in), json.Unmarshal(c.Expected, &want)); err != nil {
			return err
		}
		u, _ := url.Parse(in.URL)
		switch in.Kind {
		case "state":
			return diffSamples(want.Samples, want.Lengths, want.Alphabet, func() string { return newState("") })
		case "verifier":
			if n, ok := want.Value.(float64); ok {
				return differs("length", int(n), len(randomText(in.Length)))
			}
			return diffSamples(want.Samples, want.Lengths, want.Alphabet, func() string { return randomText(in.Length) })
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
			return differs("challenge", want.CodeChallenge, oauth2.S256ChallengeFromVerifier(in.Verifier))
		case "customState":
			state := newState(in.CustomState)
			return errors.Join(
				differs("encoded", want.URLSafeEncode, urlSafe(in.CustomState)),
				differs("state", want.StateShape, "{{state}}"+state[stateLength:]),
				differs("recognised", true, isState(state)))
		case "provider":
			return differs("provider", text(want.Value), identityProvider(u.Query().Get("provider")))
		case "query":
			return differs("value", text(want.Value), u.Query().Get(in.Name))
		case "errorQuery":
			return differs("query", text(want.Value), strings.TrimPrefix(strings.TrimPrefix(
				addQuery("/", "error", in.Error, "error_description", in.ErrorDescription), "/"), "?"))
		case "keys":
			for key, name := range want.Keys {
				if err := differs(key, name, sessionkey.Prefix(in.Identifier)+key); err != nil {
					return err
				}
			}
			return nil
		}
		return fmt.Errorf("unknown kind %q", in.Kind)
	})
}

// diffSamples compares length and characters of many texts, no two of which may be the same.
func diffSamples(n int, lengths []int, alphabet string, sample func() string) error {
	seen := map[string]bool{}
	var all []byte
	for range n {
		s := sample()
		if !slices.Contains(lengths, len(s)) || seen[s] {
			return fmt.Errorf("sample %q", s)
		}
		seen[s] = true
		all = append(all, s...)
	}
	slices.Sort(all)
	return differs("alphabet", alphabet, string(slices.Compact(all)))
}

func differs[T comparable](what string, want, got T) error {
	if want != got {
		return fmt.Errorf("%s: recorded %v, ours %v", what, want, got)
	}
	return nil
}
