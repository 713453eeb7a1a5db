package cookie

import (
	"iter"
	"net/http"
	"strings"
)

// Parse yields the name and the value of each cookie in lines of Cookie headers, in order and with
// duplicates. Nothing is decoded ([DecodeName] and [DecodeValue] do that) and nothing is copied.
//
// It yields what browsers send (RFC 6265bis §5.8.3). That is more than [http.Request.Cookies]
// accepts: names in parentheses, values with quotes, backslashes or bytes beyond ASCII. Cookies
// without a name are left out.
func Parse(lines []string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, line := range lines {
			for line = skip(line); line != ""; line = skip(line) {
				var name, value string
				name, value, line = cut(line)
				if name != "" && !yield(name, value) {
					return
				}
			}
		}
	}
}

// cut returns name and value of the first cookie in line, and what follows it. The name is empty if
// the cookie has none.
func cut(line string) (name, value, rest string) {
	end, equals := -1, -1
	// Many cookies are short. For these a loop beats two searches.
	const short = 16
	for i := 0; i < len(line) && i < short; i++ {
		if line[i] == ';' {
			end = i
			break
		}
		if line[i] == '=' && equals < 0 {
			equals = i
		}
	}
	if end < 0 && len(line) > short {
		if end = strings.IndexByte(line[short:], ';'); end >= 0 {
			end += short
		}
	}
	pair := line
	if end >= 0 {
		pair, rest = line[:end], line[end+1:]
	}
	if equals < 0 {
		if equals = strings.IndexByte(pair, '='); equals < 0 {
			return "", "", rest
		}
	}
	return trim(pair[:equals]), trim(pair[equals+1:]), rest
}

// skip removes the separators and blanks that line begins with: cookies that are empty.
func skip(line string) string {
	i := 0
	for i < len(line) && (line[i] == ';' || line[i] == ' ' || line[i] == '\t') {
		i++
	}
	return line[i:]
}

// trim removes blanks and tabs around s (RFC 6265bis §5.6).
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// Format returns c as the value of a Set-Cookie header, or "" if it cannot be one.
//
// It differs from [http.Cookie.String] in one thing: names need not be tokens. Browsers keep names
// with any characters but control characters, "=" and ";" (RFC 6265bis §5.6), and a server must be
// able to delete such cookies.
func Format(c *http.Cookie) string {
	if c.Name == "" || c.Name != trim(c.Name) {
		return ""
	}
	for i := range len(c.Name) {
		if b := c.Name[i]; b < ' ' || b == 0x7f || b == '=' || b == ';' {
			return ""
		}
	}
	token := *c
	token.Name = "n"
	s := token.String()
	if s == "" {
		return ""
	}
	return c.Name + s[1:]
}
