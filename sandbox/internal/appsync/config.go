package appsync

import (
	"context"
	"log/slog"
	"time"

	"github.com/amplify-go/amplify/sandbox/function"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/items"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// Config configures an API.
type Config struct {
	Region string
	Schema *schema.Schema
	// Modes are the modes of authorization. The first is the default one.
	Modes []schema.Provider
	// APIKey is the key of the mode apiKey.
	APIKey string
	// UserPool returns the claims of a token of the user pool. The error is one of this package's.
	UserPool func(token string) (map[string]any, error)
	// OIDC does so for a token of the OIDC provider.
	OIDC func(ctx context.Context, token string) (map[string]any, error)
	// Credentials returns who has these AWS credentials, and their secret key. A signature tells
	// whether they really do. The error is one of this package's.
	Credentials func(accessKeyID, sessionToken string) (*Caller, string, error)
	Authorizer  function.Authorizer
	// AuthorizerTTL is for how long its answers are kept. Zero means five minutes, and a negative
	// value means not at all.
	AuthorizerTTL time.Duration
	// Functions answer the custom operations, by name such as "Query.echo".
	Functions map[string]function.Handler
	Store     *store.Store
	Clock     func() time.Time
	Logger    *slog.Logger
}

// API is a GraphQL API. It is safe for concurrent use.
type API struct {
	cfg    Config
	items  *items.Store
	tables map[*schema.Model]*items.Table
	// subscribers get what mutations publish.
	subscribers subscribers
	authorizer  *authorizer
	// running bounds the calls of each function, by name.
	running map[string]slots
}

// New returns the API that cfg describes.
func New(ctx context.Context, cfg Config) (*API, error) {
	a := &API{cfg: cfg, tables: map[*schema.Model]*items.Table{}, authorizer: newAuthorizer(cfg),
		running: map[string]slots{}}
	for name := range cfg.Functions {
		a.running[name] = newSlots()
	}
	var tables []*items.Table
	for _, m := range cfg.Schema.Models {
		t := tableOf(m)
		a.tables[m], tables = t, append(tables, t)
	}
	var err error
	a.items, err = items.New(ctx, cfg.Store, tables)
	return a, err
}
