package cognito_test

import (
	"context"
	"fmt"
	"iter"
	"log"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/cognito"
)

// row stands for a row of a database in which a server keeps a session, in place of cookies.
type row map[string]string

func (r row) All(prefix string) iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		for key, value := range r {
			if strings.HasPrefix(key, prefix) && !yield(key, value) {
				return
			}
		}
	}
}

func (r row) Set(key, value string) error { r[key] = value; return nil }
func (r row) Delete(key string) error     { delete(r, key); return nil }
func (r row) Writable() bool              { return true }

// Sessions that are kept elsewhere than in cookies: any [amplify.KeyValueStorage] will do.
func Example() {
	app, err := amplify.New(amplify.Config{Auth: &amplify.AuthConfig{
		UserPoolID: "eu-west-1_Example01", UserPoolClientID: "1example23456789",
	}}, amplify.Options{})
	if err != nil {
		log.Fatal(err)
	}
	client, err := cognito.New(app, cognito.Options{}) // one for the process
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(context.Background())

	session := row{}
	_, err = amplify.RunWithServerContext(context.Background(), app, client.Providers(session),
		func(ctx context.Context) (*auth.User, error) { return auth.GetCurrentUser(ctx) })
	fmt.Println(amplify.ReasonOf(err))
	// Output: no_session
}
