package auth_test

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/amplify-go/amplify/cookie"
)

// effect is what a list of Set-Cookie lines does to one cookie.
type effect struct {
	Deleted  bool   `json:",omitempty"`
	Value    string `json:",omitempty"`
	Domain   string `json:",omitempty"`
	MaxAge   int    `json:",omitempty"`
	Expires  string `json:",omitempty"`
	Secure   bool   `json:",omitempty"`
	HTTPOnly bool   `json:",omitempty"`
	SameSite http.SameSite
}

// effects returns what a browser keeps of lines, by the key that a cookie's name stands for. Two
// lists with the same effects are the same to a browser, although the original deletes each cookie
// before it sets it, spells some values raw, and repeats itself:
//
//   - The last write counts, for each name, Domain and Path (RFC 6265bis §5.7). The path of all
//     recorded requests, /page, makes a missing Path attribute "/".
//   - A deletion counts only if the request carried such a cookie, and nothing else was set under that key.
//     (With a configured Domain we also delete the cookie that belongs to the host alone; the original leaves it.)
//   - Values are compared decoded; SameSite without regard to case; Expires only where Max-Age does not override it.
func effects(lines []string, carried func(key string) bool) map[string]effect {
	type place struct{ name, domain, path string }
	last := map[place]effect{}
	for _, line := range lines {
		c, err := http.ParseSetCookie(rawLine(line))
		if err != nil {
			continue
		}
		e := effect{
			Value: cookie.DecodeValue(c.Value), Domain: strings.TrimPrefix(c.Domain, "."), MaxAge: c.MaxAge,
			Secure: c.Secure, HTTPOnly: c.HttpOnly, SameSite: c.SameSite,
		}
		if c.MaxAge == 0 && !c.Expires.IsZero() {
			e.Expires = c.Expires.UTC().Format(time.RFC3339)
		}
		path := c.Path
		if path == "" {
			path = "/"
		}
		at := place{cookie.DecodeName(c.Name), e.Domain, path}
		if c.MaxAge < 0 || c.MaxAge == 0 && !c.Expires.IsZero() && c.Expires.Unix() <= 0 {
			e = effect{Deleted: true}
		}
		last[at] = e
	}
	byKey := map[string]effect{}
	for at, e := range last {
		if old, ok := byKey[at.name]; (!ok || old.Deleted) && (!e.Deleted || carried(at.name)) {
			byKey[at.name] = e
		}
	}
	return byKey
}

// rawLine escapes what [http.ParseSetCookie] refuses in the values that the original writes raw.
func rawLine(line string) string {
	pair, attributes, found := strings.Cut(line, ";")
	name, value, _ := strings.Cut(pair, "=")
	var b strings.Builder
	for _, c := range []byte(value) {
		if c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == '\\' {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	line = name + "=" + b.String()
	if found {
		line += ";" + attributes
	}
	return line
}

// carriedBy tells which keys the lines of a Cookie header hold.
func carriedBy(lines ...string) func(key string) bool {
	var keys []string
	for name := range cookie.Parse(lines) {
		keys = append(keys, cookie.DecodeName(name))
	}
	return func(key string) bool { return slices.Contains(keys, key) }
}
