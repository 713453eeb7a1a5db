package cookietest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// meanings returns what Set-Cookie lines mean, sorted. Frameworks spell attributes differently, and
// the order of cookies has no meaning.
func meanings(lines []string) []string {
	all := []string{}
	for _, line := range lines {
		all = append(all, meaning(line))
	}
	slices.Sort(all)
	return all
}

// meaning returns what a Set-Cookie line means to a browser (RFC 6265bis §5.6): one text for all
// lines that mean the same. The value of a deletion has no meaning.
func meaning(line string) string {
	pair, attributes, _ := strings.Cut(line, ";")
	name, value, _ := strings.Cut(pair, "=")
	var (
		domain, path, sameSite string
		flags                  string
		maxAge                 string
		expired                bool
	)
	for attribute := range strings.SplitSeq(attributes, ";") {
		key, v, _ := strings.Cut(strings.TrimSpace(attribute), "=")
		switch strings.ToLower(key) {
		case "domain":
			domain = strings.ToLower(strings.TrimPrefix(v, "."))
		case "path":
			path = v
		case "samesite":
			sameSite = strings.ToLower(v)
		case "secure":
			flags = "; Secure" + flags
		case "httponly":
			flags += "; HttpOnly"
		case "max-age":
			maxAge = v
		case "expires":
			date, err := http.ParseTime(v)
			expired = err == nil && date.Before(time.Now())
		}
	}
	life := ""
	if seconds, err := strconv.Atoi(maxAge); err == nil {
		expired = seconds <= 0 // Max-Age wins over Expires
		life = fmt.Sprintf("; Max-Age=%d", seconds)
	}
	if expired {
		value, life = "", "; deleted"
	}
	return fmt.Sprintf("%s=%s; Domain=%s; Path=%s%s; SameSite=%s%s",
		name, value, domain, path, life, sameSite, flags)
}
