package cookie_test

import (
	"fmt"
	"net/http"
	"strings"
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

// frameworkContext stands for the context of a web framework that parses cookies itself.
type frameworkContext struct {
	cookies  []*http.Cookie // of the request, not decoded
	response http.Header
}

// frameworkStore adapts it.
type frameworkStore struct{ c *frameworkContext }

func (s frameworkStore) CookieHeader() []string {
	var pairs []string
	for _, c := range s.c.cookies {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return []string{strings.Join(pairs, "; ")}
}

func (s frameworkStore) Set(c *http.Cookie) { cookie.Add(s.c.response, c) }

func ExampleStore() {
	c := &frameworkContext{
		cookies:  []*http.Cookie{{Name: "k", Value: "v"}},
		response: http.Header{},
	}
	kv := cookie.NewKeyValueStorage(frameworkStore{c}, cookie.Options{})
	for key, value := range kv.All("") {
		fmt.Println(key, "is", value)
	}
	if err := kv.Delete("k"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(c.response.Get("Set-Cookie"))
	// Output:
	// k is v
	// k=; Path=/; Max-Age=0; Secure; SameSite=Lax
}
