package main

import (
	"context"
	_ "embed"
	"time"

	"github.com/amplify-go/amplify/sandbox"
)

// outputs is what an Amplify project has as well: the description of its backend.
//
//go:embed amplify_outputs.json
var outputs []byte

// schema is the data schema of that backend.
//
//go:embed schema.graphql
var schema string

// backend is a stand-in for AWS in this process. A server on AWS has none: it gives the
// embedded outputs to Amplify as they are.
type backend struct {
	Outputs        []byte // the embedded ones, with the addresses of the stand-in
	UserPool       string // where its user pool answers
	Storage        string // where its S3 answers: with AWS, https://<bucket>.s3.<region>.amazonaws.com
	Users          []seedUser
	Inbox, Console string

	sandbox *sandbox.Sandbox
}

// seedUser is a user who is there from the start.
type seedUser struct {
	Name, Email, Password string
	Groups                []string
}

// seedPassword is no secret: it opens nothing but this demo.
const seedPassword = "Sunflowers-1888"

// startBackend starts a backend for an application that browsers open at origin.
func startBackend(ctx context.Context, origin string) (*backend, error) {
	b := &backend{Users: []seedUser{
		{Name: "Alice", Email: "alice@example.com", Password: seedPassword, Groups: []string{"curators", "admins"}},
		{Name: "Bob", Email: "bob@example.com", Password: seedPassword},
	}}
	config := sandbox.Config{
		Outputs:      outputs,
		AppOrigins:   []string{origin},
		Clients:      []sandbox.Client{{ID: browserClient}},
		StorageAdmin: true,
		Data:         sandbox.Data{Schema: schema},
	}
	for _, u := range b.Users {
		config.Users = append(config.Users, sandbox.User{
			Email: u.Email, Password: u.Password, Attributes: map[string]string{"name": u.Name}, Groups: u.Groups,
		})
	}
	var err error
	if b.sandbox, err = sandbox.Start(ctx, config); err != nil {
		return nil, err
	}
	b.Outputs = b.sandbox.Outputs()
	b.UserPool = b.sandbox.URL()
	b.Storage = b.sandbox.URL()
	b.Inbox = b.sandbox.URL() + "/inbox"
	b.Console = b.sandbox.URL() + "/console"
	if err := b.hangSplash(ctx); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// Close stops the backend.
func (b *backend) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return b.sandbox.Close(ctx)
}
