package cookie_test

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/amplify-go/amplify/cookie"
)

func TestDecode(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "alice", "alice"},
		{"js-cookie", "a%40b.com", "a@b.com"},
		{"lower-case digits", "a%3bb", "a;b"},
		{"parentheses escaped", "bob%28admin%29", "bob(admin)"},
		{"parentheses as they are", "bob(admin)", "bob(admin)"},
		{"escaped percent", "100%25", "100%"},
		{"escaped once, not twice", "a%2540b", "a%40b"},
		{"UTF-8 escaped", "zo%C3%AB", "zoë"},
		{"UTF-8 raw", "zoë", "zoë"},
		{"Latin-1 raw", "zo\xeb", "zoë"},
		{"Latin-1 beside a percent", "zo\xeb%", "zoë%"},
		{"a sequence cut short", "%E0%A4%A", "%E0%A4%A"},
		{"a percent alone", "100%", "100%"},
		{"no digits", "50%zz", "50%zz"},
		{"no UTF-8", "%FF%FE", "%FF%FE"},
		{"never half decoded", "a%20b%", "a%20b%"},
		{"a control character", "a%0D%0Ab", "a\r\nb"},
		{"empty", "", ""},
	} {
		if got := cookie.DecodeName(tt.in); got != tt.want {
			t.Errorf("%s: name %q is read as %q, want %q", tt.name, tt.in, got, tt.want)
		}
		if got := cookie.DecodeValue(tt.in); got != tt.want {
			t.Errorf("%s: value %q is read as %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
	for in, want := range map[string]string{`"alice"`: "alice", `"a%40b"`: "a@b", `"`: `"`, `""`: "", `a"b"`: `a"b"`} {
		if got := cookie.DecodeValue(in); got != want {
			t.Errorf("value %q is read as %q, want %q", in, got, want)
		}
	}
}

func TestEncodeReplacesWhatIsNotUnicode(t *testing.T) {
	if got := cookie.EncodeName("a\xffb"); got != "a%EF%BF%BDb" {
		t.Errorf("got %q", got)
	}
}

// checkEncoding checks what must hold for every text.
func checkEncoding(t *testing.T, text string) {
	t.Helper()
	want := strings.ToValidUTF8(text, "\uFFFD")
	name, value := cookie.EncodeName(text), cookie.EncodeValue(text)
	if got := cookie.DecodeName(name); got != want {
		t.Errorf("name %q, written as %q, is read as %q", text, name, got)
	}
	if got := cookie.DecodeValue(value); got != want {
		t.Errorf("value %q, written as %q, is read as %q", text, value, got)
	}
	// RFC 6265bis §4.1.1: a name is a token (RFC 9110 §5.6.2), a value consists of cookie-octets.
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			t.Errorf("name %q is written as %q, with %q", text, name, c)
		}
	}
	for _, c := range []byte(value) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`",;\`, c) >= 0 {
			t.Errorf("value %q is written as %q, with %q", text, value, c)
		}
	}
	if name != "" {
		line := cookie.Format(&http.Cookie{Name: name, Value: value, Path: "/"})
		if c, err := http.ParseSetCookie(line); err != nil || c.Name != name || c.Value != value || len(c.Unparsed) > 0 {
			t.Errorf("%q is sent as %q, which is %v, %v", text, line, c, err)
		}
	}
}

func TestEncodingOfAllBytes(t *testing.T) {
	for c := range 256 {
		checkEncoding(t, string([]byte{byte(c)}))
		checkEncoding(t, "x"+string(rune(c))+"y")
	}
	for _, attack := range []string{
		"a;b", "x; Domain=evil.test", "x\r\nSet-Cookie: a=b", "x\x00y", `"x`, "x, y=z", "=x", " x ", "\tx", "x%3B", "%", "\x7f",
	} {
		checkEncoding(t, attack)
	}
}

func FuzzEncoding(f *testing.F) {
	for _, s := range []string{"alice", "a@b.com", "bob(admin)", "zoë-日本", "a;b", "100%", "\xff", "\r\n", ""} {
		f.Add(s)
	}
	f.Fuzz(checkEncoding)
}

// FuzzDecode decodes what an attacker may send. It must not panic, and return valid UTF-8.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"alice", "%E0%A4%A", "zo\xeb%20", `"a"`, "%", "%25%", "a%3Bb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{cookie.DecodeName(s), cookie.DecodeValue(s)} {
			if !utf8.ValidString(got) {
				t.Errorf("%q is read as %q, which is not UTF-8", s, got)
			}
		}
		checkEncoding(t, cookie.DecodeName(s))
	})
}
