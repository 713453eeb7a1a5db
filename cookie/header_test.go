package cookie_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/cookie"
)

func date(t *testing.T, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFormat(t *testing.T) {
	for _, tt := range []struct {
		cookie http.Cookie
		want   string
	}{
		{http.Cookie{Name: "a", Value: "b"}, "a=b"},
		{http.Cookie{Name: "bob(admin)", MaxAge: -1, Path: "/"}, "bob(admin)=; Path=/; Max-Age=0"},
		{http.Cookie{Name: "zo\xeb", Value: "b"}, "zo\xeb=b"},
		{http.Cookie{Name: "a", Value: "b", Domain: ".x.test"}, "a=b; Domain=x.test"},
		{http.Cookie{Name: "", Value: "b"}, ""},
		{http.Cookie{Name: "a;b", Value: "b"}, ""},
		{http.Cookie{Name: "a=b", Value: "b"}, ""},
		{http.Cookie{Name: "a\r\nb", Value: "b"}, ""},
		{http.Cookie{Name: " a", Value: "b"}, ""},
		{http.Cookie{Name: "a\x7f", Value: "b"}, ""},
	} {
		if got := cookie.Format(&tt.cookie); got != tt.want {
			t.Errorf("%q is sent as %q, want %q", tt.cookie.Name, got, tt.want)
		}
	}
}

func TestAdd(t *testing.T) {
	h := http.Header{"Set-Cookie": {"other=1", "ab=1; Path=/"}}
	for _, c := range []http.Cookie{
		{Name: "a", Value: "1", Path: "/"},
		{Name: "a", Value: "2", Path: "/", Domain: "x.test"},
		{Name: "a", Value: "3", Path: "/", MaxAge: 5, HttpOnly: true},
		{Name: "a", Value: "4", Path: "/", Domain: ".X.test"},
		{Name: "a", Value: "5", Path: "/b"},
		{Name: "a;", Value: "6", Path: "/"},
	} {
		cookie.Add(h, &c)
	}
	equal(t, "Set-Cookie", h["Set-Cookie"], []string{
		"other=1", "ab=1; Path=/", "a=3; Path=/; Max-Age=5; HttpOnly", "a=4; Path=/; Domain=X.test", "a=5; Path=/b",
	})
	cookie.Add(nil, &http.Cookie{Name: "a", Value: "1"})
}

func TestOptionsValidate(t *testing.T) {
	good := []cookie.Options{
		{},
		{Domain: ".myapp.com", Path: "/app", SameSite: http.SameSiteNoneMode, MaxAge: time.Hour, HTTPOnly: true},
		{Domain: "localhost", Insecure: true, Expires: date(t, "2031-05-06T07:08:09Z")},
	}
	for _, o := range good {
		if err := o.Validate(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, tt := range []struct {
		field, value string
		options      cookie.Options
	}{
		{"Domain", "https://myapp.com", cookie.Options{Domain: "https://myapp.com"}},
		{"Domain", "x; Secure", cookie.Options{Domain: "x; Secure"}},
		{"Domain", "x\r\n", cookie.Options{Domain: "x\r\n"}},
		{"Domain", "my_app.test", cookie.Options{Domain: "my_app.test"}}, // net/http drops it
		{"Path", "app", cookie.Options{Path: "app"}},
		{"Path", "/;x", cookie.Options{Path: "/;x"}},
		{"SameSite", "9", cookie.Options{SameSite: 9}},
		{"SameSite", "9", cookie.Options{SameSite: 9, Insecure: true}},
		{"SameSite", "None", cookie.Options{SameSite: http.SameSiteNoneMode, Insecure: true}},
		{"MaxAge", "-1h0m0s", cookie.Options{MaxAge: -time.Hour}},
		{"MaxAge", "1ms", cookie.Options{MaxAge: time.Millisecond}},
		{"Expires", "1500-01-01T00:00:00Z", cookie.Options{Expires: date(t, "1500-01-01T00:00:00Z")}},
	} {
		got := faults(t, tt.options.Validate())
		if len(got) != 1 || got[0].Field != tt.field || got[0].Value != tt.value || got[0].Problem == "" {
			t.Errorf("%+v: %+v", tt.options, got)
			continue
		}
		for _, part := range []string{"cookie: Options." + tt.field, strconv.Quote(tt.value), got[0].Problem} {
			if !strings.Contains(got[0].Error(), part) {
				t.Errorf("%q lacks %q", got[0], part)
			}
		}
	}
	var fields []string
	for _, fault := range faults(t, cookie.Options{Domain: "a/b", Path: "c", SameSite: -1, MaxAge: -1}.Validate()) {
		fields = append(fields, fault.Field)
	}
	equal(t, "faults", fields, []string{"Domain", "Path", "SameSite", "MaxAge"})
}

// faults returns the parts of an error of Validate.
func faults(t *testing.T, err error) (all []*cookie.OptionError) {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v is not joined", err)
	}
	for _, err := range joined.Unwrap() {
		var fault *cookie.OptionError
		if !errors.As(err, &fault) {
			t.Fatalf("%v is not typed", err)
		}
		all = append(all, fault)
	}
	return all
}

// FuzzCookieHeader reads and rewrites any header that a client may send. It must not panic, and
// send no line that has a control character or an attribute that was not asked for.
func FuzzCookieHeader(f *testing.F) {
	f.Add(sessionHeader("alice@example.com"), "x; Domain=evil.test")
	f.Add("p.a=%E0%A4%A; p.a; =; ;;p.zo\xeb=\"x\"", "\r\nSet-Cookie: a=b")
	f.Add("CognitoIdentityServiceProvider.4corpusclientid0000000001.LastAuthUser=a%0D%0Ab", "")
	f.Add("p.(a)=1; p.%28a%29=2;p.\x01=3", "v")
	f.Fuzz(func(t *testing.T, header, value string) {
		for _, o := range []cookie.Options{{}, {Domain: ".x.test"}} {
			response := http.Header{}
			kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(lineHeader([]string{header}), response), o)
			var keys []string
			for _, prefix := range []string{"", "p.", prefix} {
				for key := range kv.All(prefix) {
					if !strings.HasPrefix(key, prefix) || key == "" {
						t.Errorf("%q does not begin with %q", key, prefix)
					}
					keys = append(keys, key)
				}
			}
			for i, key := range keys {
				var err error
				if i%2 == 0 {
					err = kv.Delete(key)
				} else {
					err = kv.Set(key, value)
				}
				if err != nil && i%2 == 0 && !errors.Is(err, cookie.ErrTooManyCookies) {
					t.Error(err)
				}
			}
			if n := len(response["Set-Cookie"]); n > cookie.MaxSetCookies+len(keys) {
				t.Errorf("%d Set-Cookie lines for %d keys", n, len(keys))
			}
			for _, line := range response["Set-Cookie"] {
				for _, c := range []byte(line) {
					if c < ' ' || c == 0x7f {
						t.Fatalf("%q is sent", line)
					}
				}
				for _, attribute := range strings.Split(line, "; ")[1:] {
					switch attribute {
					case "Path=/", "Domain=x.test", "Max-Age=0", "Max-Age=31536000", "Secure", "SameSite=Lax":
					default:
						t.Fatalf("%q has an attribute %q", line, attribute)
					}
				}
			}
		}
	})
}
