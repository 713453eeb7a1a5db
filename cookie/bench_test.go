package cookie_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/cookie"
)

const prefix = "CognitoIdentityServiceProvider.4corpusclientid0000000001."

// sessionHeader is the Cookie header of a signed-in user: 12 cookies, 3.5 KB, six of them the
// application's own.
func sessionHeader(user string) string {
	name := prefix + cookie.EncodeName(user) + "."
	return strings.Join([]string{
		"theme=dark", "_ga=GA1.1.1234567890.1700000000", "consent=eyJhIjoxfQ%3D%3D",
		prefix + "LastAuthUser=" + cookie.EncodeValue(user),
		name + "accessToken=" + strings.Repeat("a", 1080),
		name + "idToken=" + strings.Repeat("i", 1120),
		name + "refreshToken=" + strings.Repeat("r", 560),
		name + "clockDrift=-120",
		name + "signInDetails=" + cookie.EncodeValue(`{"loginId":"`+user+`","authFlowType":"USER_SRP_AUTH"}`),
		"lang=en", "cart=8f14e45fceea167a5a36dedd4bea2543", "seen=1",
	}, "; ")
}

func BenchmarkAll(b *testing.B) {
	for _, user := range []string{"alice", "alice@example.com"} {
		header := http.Header{"Cookie": {sessionHeader(user)}}
		b.Run(user, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(header.Get("Cookie"))))
			kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(header, nil), cookie.Options{})
			n := 0
			for b.Loop() {
				for range kv.All(prefix) {
					n++
				}
			}
			if n != b.N*6 {
				b.Fatalf("%d cookies in %d rounds", n, b.N)
			}
		})
		b.Run(user+" new storage", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(header, nil), cookie.Options{})
				for range kv.All(prefix) {
					continue
				}
			}
		})
		b.Run(user+" net/http", func(b *testing.B) {
			r := &http.Request{Header: header}
			b.ReportAllocs()
			for b.Loop() {
				if len(r.Cookies()) == 0 {
					b.Fatal("no cookies")
				}
			}
		})
	}
}

func BenchmarkSet(b *testing.B) {
	header := http.Header{"Cookie": {sessionHeader("alice")}}
	b.ReportAllocs()
	for b.Loop() {
		kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(header, http.Header{}), cookie.Options{})
		if err := kv.Set(prefix+"alice.accessToken", "token"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDelete deletes all that one client has left in a header of 60 KB, as a sign-out does.
func BenchmarkDelete(b *testing.B) {
	var line strings.Builder
	keys := make([]string, 80)
	for i := range keys {
		keys[i] = fmt.Sprintf("%suser%d@example.com.idToken", prefix, i)
		fmt.Fprintf(&line, "%s=x; ", cookie.EncodeName(keys[i]))
	}
	for i := 0; line.Len() < 60_000; i++ {
		fmt.Fprintf(&line, "cookie-%d=x; ", i)
	}
	header := http.Header{"Cookie": {line.String()}}
	b.ReportAllocs()
	for b.Loop() {
		kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(header, http.Header{}), cookie.Options{})
		for _, key := range keys {
			if err := kv.Delete(key); err != nil {
				b.Fatal(err)
			}
		}
	}
}
