package cookie_test

import (
	"net/http"
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

func TestHeaderStore(t *testing.T) {
	s := storeOf("n=1; m=%32; n=3")
	if v, ok := s.Get("n"); !ok || v != "1" {
		t.Errorf("n is %q, %v", v, ok)
	}
	if v, ok := s.Get("m"); !ok || v != "%32" {
		t.Errorf("m is %q, %v", v, ok)
	}
	if v, ok := s.Get("x"); ok {
		t.Errorf("x is %q", v)
	}
	got := []string{}
	for _, c := range s.GetAll() {
		got = append(got, c.Name+"="+c.Value)
	}
	equal(t, "all", got, []string{"n=1", "m=%32", "n=3"})
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
	bad := map[string]cookie.Options{
		"Domain":     {Domain: "https://myapp.com"},
		"Domain ":    {Domain: "x; Secure"},
		"Domain  ":   {Domain: "x\r\n"},
		"Domain    ": {Domain: "my_app.test"}, // net/http would leave it out
		"Path":       {Path: "app"},
		"Path ":      {Path: "/;x"},
		"SameSite":   {SameSite: 9},
		"Secure":     {SameSite: http.SameSiteNoneMode, Insecure: true},
		"MaxAge":     {MaxAge: -time.Hour},
		"MaxAge ":    {MaxAge: time.Millisecond},
		"Expires":    {Expires: time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	for field, o := range bad {
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(field)) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	all := cookie.Options{Domain: "a/b", Path: "c", MaxAge: -1}.Validate()
	for _, field := range []string{"Domain", "Path", "MaxAge"} {
		if all == nil || !strings.Contains(all.Error(), field) {
			t.Errorf("%s is missing in %v", field, all)
		}
	}
}

// FuzzCookieHeader reads and rewrites whatever a client sends: never a panic, never a
// line that holds a control character or is not the one that was asked for.
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
				if err != nil && i%2 == 0 {
					t.Error(err)
				}
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
