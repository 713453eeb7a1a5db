package cookie_test

import (
	"slices"
	"strings"

	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

var cookieNamesExceptions = []conformance.Rule{
	{
		Name:   "values are encoded",
		Reason: "the original writes values as they are: one with a semicolon ends its cookie and adds attributes",
		Match: func(c conformance.Case) bool {
			value, _ := c.In("value").(string)
			return c.In("kind") == "serialize" && cookie.EncodeValue(value) != value
		},
	},
	{
		Name:   "SameSite is one of three",
		Reason: "SameSite=true is no value of that attribute (RFC 6265bis §4.1.2.7); http.SameSite cannot say it",
		Match: func(c conformance.Case) bool {
			_, boolean := c.In("options", "sameSite").(bool)
			return boolean
		},
	},
}

var setCookieExceptions = []conformance.Rule{
	{
		Name:   "deletions reach their cookies",
		Reason: "the original deletes without the Path and Domain of the cookie, so that browsers keep it",
		Match: func(c conformance.Case) bool {
			in, _, err := decodeSetCookieCase(c)
			if err != nil {
				return false
			}
			writes, _, err := recordedWrites(in)
			if err != nil {
				return false
			}
			left, _ := c.Want("jar").([]any)
			return slices.ContainsFunc(left, func(v any) bool {
				kept, _ := v.(map[string]any)
				name, _ := kept["name"].(string)
				last := write{}
				for _, w := range writes {
					if w.key == cookie.DecodeName(name) {
						last = w
					}
				}
				return last.deleted
			})
		},
	},
	{
		Name:   "values are encoded",
		Reason: "the original writes values as they are: the browser keeps what comes before the semicolon",
		Match: func(c conformance.Case) bool {
			in, _, err := decodeSetCookieCase(c)
			if err != nil {
				return false
			}
			writes, _, err := recordedWrites(in)
			return err == nil && slices.ContainsFunc(writes, func(w write) bool { return strings.Contains(w.value, ";") })
		},
	},
}

var browserExceptions = []conformance.Rule{
	{
		Name:   "parentheses in names",
		Reason: "the browser escapes parentheses in names, the original's server does not look for that: such users are signed out there",
		Match: func(c conformance.Case) bool {
			header, _ := c.Want("cookieHeader").(string)
			return strings.Contains(header, "%28") || strings.Contains(header, "%29")
		},
	},
	{
		Name:   "usernames like keys",
		Reason: "the original looks for names of keys anywhere in names of cookies: there it does not find a user called x.accessToken",
		Match: func(c conformance.Case) bool {
			users, _ := c.In("users").(map[string]any)
			for name := range users {
				if sessionkey.IsSession(name) {
					return true
				}
			}
			return false
		},
	},
}
