package flow

import (
	"math"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/internal/conformance"
)

// originExceptions are the forms of cases of origins.json in which we differ on purpose.
func originExceptions() []conformance.Rule {
	invalid := func(c conformance.Case) conformance.Case {
		no := map[string]any{"value": false}
		return c.Expect(no, "isValidOrigin").Expect(no, "isSSLOrigin").Expect(false, "warnsInsecure")
	}
	return []conformance.Rule{
		{
			Name:   "half anchored",
			Reason: "The original's expression lets anything follow http://localhost, and precede the rest. An origin is matched as a whole.",
			Match: func(c conformance.Case) bool {
				return takenForOrigin(c) && !regexp.MustCompile(wholeOrigin).MatchString(text(c.In("origin")))
			},
			Instead: invalid,
		},
		{
			Name: "names that no browser has for a host",
			Reason: "Labels neither begin nor end with a hyphen (RFC 1123 §2.1), and browsers write IPv4 addresses as four numbers. " +
				"The original accepts other spellings, which match no request.",
			Match: func(c conformance.Case) bool {
				_, host, _ := strings.Cut(text(c.In("origin")), "://")
				host, _, _ = strings.Cut(host, ":")
				hyphens := slices.ContainsFunc(strings.Split(host, "."), func(label string) bool {
					return strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-")
				})
				_, notIP := netip.ParseAddr(host)
				numeric := regexp.MustCompile(`(^|\.)(\d+|0x[0-9a-f]*)$`).MatchString(host)
				return takenForOrigin(c) && (hyphens || numeric && notIP != nil)
			},
			Instead: invalid,
		},
		{
			Name:   "redirect URL of a look-alike",
			Reason: "The original chooses by prefix, and sends codes to https://myapp.community. Here the origin must match as a whole.",
			Match: func(c conformance.Case) bool {
				list, _ := c.In("redirectUrls").([]any)
				first := slices.IndexFunc(list, func(v any) bool { return strings.HasPrefix(text(v), text(c.In("origin"))) })
				return first >= 0 && !hasOrigin(text(list[first]), text(c.In("origin"))) &&
					c.Want("redirectSignIn", "value") == list[first] && c.Want("redirectSignOut", "value") == list[first]
			},
			Instead: func(c conformance.Case) conformance.Case {
				list, _ := c.In("redirectUrls").([]any)
				i := slices.IndexFunc(list, func(v any) bool { return hasOrigin(text(v), text(c.In("origin"))) })
				for _, kind := range []string{"redirectSignIn", "redirectSignOut"} {
					if i >= 0 {
						c = c.Expect(map[string]any{"value": list[i]}, kind)
						continue
					}
					c = c.Expect(map[string]any{"error": map[string]any{
						"name": "AmplifyServerContextError", "message": "No valid " + kind + " url found in the OAuth config.",
					}}, kind)
				}
				return c
			},
		},
	}
}

// wholeOrigin is the original's expression for origins, anchored at both ends.
const wholeOrigin = `^https?://[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?$`

// takenForOrigin reports whether the original was recorded to accept an origin, as its expression
// does.
func takenForOrigin(c conformance.Case) bool {
	s := text(c.In("origin"))
	half := regexp.MustCompile(`^(http://localhost(:\d{1,5})?)|(https?://[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?)$`)
	scheme, host, _ := strings.Cut(strings.TrimSpace(s), "://")
	host = host[strings.LastIndexByte(host, '@')+1:]
	host = host[:len(host)-len(strings.TrimLeft(host, "abcdefghijklmnopqrstuvwxyz0123456789-."))]
	insecure := scheme == "http" && host != "localhost" && host != "127.0.0.1"
	warned := c.Want("warnsInsecure") == insecure || !strings.ContainsAny(host, "ghijklmnopqrstuvwyz-") // an address, which it writes in another way
	return half.MatchString(s) && c.Want("isValidOrigin", "value") == true && c.Want("isSSLOrigin", "value") == (scheme == "https") && warned
}

// hasOrigin reports whether address is a URL of origin.
func hasOrigin(address, origin string) bool {
	u, err := url.Parse(address)
	return err == nil && u.User == nil && u.Scheme+"://"+u.Host == origin
}

// stateExceptions are the forms of cases of oauth-state.json in which we differ on purpose.
func stateExceptions() []conformance.Rule {
	return []conformance.Rule{
		{
			Name:   "bias",
			Reason: "The original takes bytes modulo 62, which favours the first letters. Here each character is as likely as any other.",
			Match: func(c conformance.Case) bool {
				ratio, _ := c.Want("ratioFirst8ToRest").(float64)
				return c.In("kind") == "bias" && math.Abs(ratio-1.25) < 0.05 // of 256 bytes 62 go four times, and eight once more
			},
			Instead: func(c conformance.Case) conformance.Case { return c.Expect(1, "ratioFirst8ToRest") },
		},
		{
			Name:   "provider of Object.prototype",
			Reason: "The original looks names up in a JavaScript object and finds what every object inherits. Here they pass unchanged.",
			Match: func(c conformance.Case) bool {
				_, value := parameter(c)
				// It looks names up in lower case, but for the first letter. No other inherited
				// name has that form.
				return c.In("kind") == "provider" && strings.ToLower(text(value)) == "__proto__" &&
					c.Want("isString") == false && c.Want("value") == "[object Object]"
			},
			Instead: func(c conformance.Case) conformance.Case {
				_, value := parameter(c)
				return c.Expect(value, "value").Expect(true, "isString")
			},
		},
		{
			Name:   "second question mark",
			Reason: "A query ends at the fragment, and may hold question marks (RFC 3986 §3.4), for instance in return_to.",
			Match: func(c conformance.Case) bool {
				raw, value := parameter(c)
				cut, _, ok := strings.Cut(raw, "?")
				return value != nil && ok && c.Want("value") == lenient(cut)
			},
			Instead: func(c conformance.Case) conformance.Case {
				_, value := parameter(c)
				return c.Expect(value, "value")
			},
		},
		{
			Name:   "broken percent-encoding",
			Reason: "The original decodes as much as it can. Here a parameter that is not well formed is none, and nothing is sent on of it.",
			Match: func(c conformance.Case) bool {
				raw, value := parameter(c)
				return raw != "" && value == nil && c.Want("value") == lenient(raw)
			},
			Instead: func(c conformance.Case) conformance.Case {
				if c = c.Expect(nil, "value"); c.In("kind") == "provider" {
					c = c.Expect(false, "isString")
				}
				return c
			},
		},
	}
}

// parameter returns the query parameter that a case is about: how it is written, "" if it is
// missing or empty, and its value, nil if it is missing or not well formed.
func parameter(c conformance.Case) (raw string, value any) {
	name := text(c.In("name"))
	switch c.In("kind") {
	case "query":
	case "provider":
		name = "provider"
	default:
		return "", nil
	}
	_, query, _ := strings.Cut(text(c.In("url")), "?")
	for pair := range strings.SplitSeq(query, "&") {
		if key, raw, _ := strings.Cut(pair, "="); key == name {
			decoded, err := url.QueryUnescape(raw)
			if err != nil {
				return raw, nil
			}
			return raw, decoded
		}
	}
	return "", nil
}

// lenient decodes a parameter as a browser does: what is not well formed stays, and bytes that are
// no UTF-8 become the replacement character.
func lenient(raw string) string {
	raw = strings.ReplaceAll(raw, "+", " ")
	b := regexp.MustCompile(`%[0-9A-Fa-f]{2}`).ReplaceAllStringFunc(raw, func(s string) string {
		decoded, _ := url.PathUnescape(s)
		return decoded
	})
	return strings.ToValidUTF8(b, "\ufffd")
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
