package cookie_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/amplify-go/amplify/cookie"
)

func ExampleNewKeyValueStorage() {
	request, response := http.Header{}, http.Header{}
	request.Add("Cookie", "theme=dark; CognitoIdentityServiceProvider.4client.a%40b.com.clockDrift=-120")

	kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(request, response), cookie.Options{MaxAge: 7 * 24 * time.Hour})
	for key, value := range kv.All("CognitoIdentityServiceProvider.4client.") {
		fmt.Println(key, "is", value)
	}
	if err := kv.Set("CognitoIdentityServiceProvider.4client.LastAuthUser", "a@b.com"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(response.Get("Set-Cookie"))
	// Output:
	// CognitoIdentityServiceProvider.4client.a@b.com.clockDrift is -120
	// CognitoIdentityServiceProvider.4client.LastAuthUser=a@b.com; Path=/; Max-Age=604800; Secure; SameSite=Lax
}

// A session is written whole, or not at all.
func ExampleKeyValueStorage_SetAll() {
	response := http.Header{}
	kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(nil, response), cookie.Options{})
	err := kv.SetAll(
		[2]string{"alice.accessToken", "short"},
		[2]string{"alice.idToken", string(make([]byte, 5000))},
	)
	fmt.Println(err != nil, len(response["Set-Cookie"]))
	// Output: true 0
}

// fiberLike stands for the context of a web framework.
type fiberLike struct{ in, out map[string]string }

// store adapts it.
type store struct{ c fiberLike }

func (s store) Get(name string) (string, bool) { v, ok := s.c.in[name]; return v, ok }

func (s store) GetAll() (all []*http.Cookie) {
	for name, value := range s.c.in {
		all = append(all, &http.Cookie{Name: name, Value: value})
	}
	return all
}

func (s store) Set(c *http.Cookie)    { s.c.out[c.Name] = cookie.Format(c) }
func (s store) Delete(c *http.Cookie) { s.c.out[c.Name] = cookie.Format(c) }

func ExampleStore() {
	c := fiberLike{in: map[string]string{"k": "v"}, out: map[string]string{}}
	kv := cookie.NewKeyValueStorage(store{c}, cookie.Options{Domain: ".myapp.com"})
	if err := kv.Delete("k"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(c.out["k"])
	// Output: k=; Path=/; Domain=myapp.com; Max-Age=0; Secure; SameSite=Lax
}
