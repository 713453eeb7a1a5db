package auth_test

import (
	"fmt"
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
	Path     string
	MaxAge   int    `json:",omitempty"`
	Expires  string `json:",omitempty"`
	Secure   bool   `json:",omitempty"`
	HTTPOnly bool   `json:",omitempty"`
	SameSite http.SameSite
	Unknown  string `json:",omitempty"` // attributes
}

// effects returns what a browser keeps of lines, by the key that a cookie's name stands for and,
// where it has one, its Domain ("key; Domain=myapp.com"). Two lists with the same effects are the
// same to a browser, although the original deletes each cookie before it sets it, spells some
// values raw, and repeats itself:
//
//   - The last write counts, for each name and Domain (RFC 6265bis §5.7). The path of all recorded
//     requests, /page, makes a missing Path attribute "/".
//   - A deletion counts only if the request carried such a cookie, and nothing else was set under
//     that key.
//   - Values are compared decoded; SameSite without regard to case; Expires only where Max-Age does
//     not override it.
func effects(lines []string, carried func(key string) bool) (map[string]effect, error) {
	last := map[string]effect{}
	for _, line := range lines {
		c, err := http.ParseSetCookie(rawLine(line))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		e := effect{
			Value: cookie.DecodeValue(c.Value), MaxAge: c.MaxAge, Path: c.Path,
			Secure: c.Secure, HTTPOnly: c.HttpOnly, SameSite: c.SameSite, Unknown: strings.Join(c.Unparsed, ";"),
		}
		if c.MaxAge == 0 && !c.Expires.IsZero() {
			e.Expires = c.Expires.UTC().Format(time.RFC3339)
		}
		if e.Path == "" {
			e.Path = "/"
		}
		key := cookie.DecodeName(c.Name)
		if c.MaxAge < 0 || c.MaxAge == 0 && !c.Expires.IsZero() && c.Expires.Unix() <= 0 {
			if !carried(key) {
				continue
			}
			e = effect{Deleted: true, Path: e.Path}
		}
		at := key
		if c.Domain != "" {
			at += "; Domain=" + strings.TrimPrefix(c.Domain, ".")
		}
		last[at] = e
	}
	return last, nil
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
