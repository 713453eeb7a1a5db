package cookie

import (
	"iter"
	"net/http"

	"github.com/amplify-go/amplify/internal/cookieheader"
)

// Parse yields the name and the value of each cookie in lines of Cookie headers, in order and with
// duplicates. Nothing is decoded ([DecodeName] and [DecodeValue] do that) and nothing is copied.
//
// It yields what browsers send (RFC 6265bis §5.8.3). That is more than [http.Request.Cookies]
// accepts: names in parentheses, values with quotes, backslashes or bytes beyond ASCII. Cookies
// without a name are left out.
func Parse(lines []string) iter.Seq2[string, string] {
	return cookieheader.Parse(lines)
}

// Format returns c as the value of a Set-Cookie header, or "" if it cannot be one.
//
// It differs from [http.Cookie.String] in one thing: names need not be tokens. Browsers keep names
// with any characters but control characters, "=" and ";" (RFC 6265bis §5.6), and a server must be
// able to delete such cookies.
func Format(c *http.Cookie) string {
	if c.Name == "" || c.Name != cookieheader.Trim(c.Name) {
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
