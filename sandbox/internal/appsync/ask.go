package appsync

import (
	"context"
	"errors"
	"slices"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/items"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
)

// Schema returns the data schema.
func (a *API) Schema() *schema.Schema { return a.cfg.Schema }

// Has reports whether the API has a mode of authorization.
func (a *API) Has(mode schema.Provider) bool { return slices.Contains(a.cfg.Modes, mode) }

// Ask returns the body of the answer that a caller gets who sends this body. It takes the
// caller's word for who they are: it is for the pages of the sandbox.
func (a *API) Ask(ctx context.Context, caller *Caller, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	defer cancel()
	request, err := parseRequest(body)
	if err != nil {
		return refusedBody(err)
	}
	response, err := a.execute(ctx, caller, request)
	if err != nil {
		return refusedBody(err)
	}
	return response.MarshalJSON()
}

// AskAuthorizer is Ask for a caller with a token that the authorizer decides about.
func (a *API) AskAuthorizer(ctx context.Context, token string, body []byte) ([]byte, error) {
	request, err := parseRequest(body)
	if err != nil {
		return refusedBody(err)
	}
	caller, err := a.byAuthorizer(ctx, token, request)
	if err != nil {
		return refusedBody(err)
	}
	return a.Ask(ctx, caller, body)
}

// refusedBody returns the body of the answer that refuses a request, or the error if it is
// that of the server.
func refusedBody(err error) ([]byte, error) {
	var refused *refusal
	if !errors.As(err, &refused) {
		return nil, err
	}
	return failure(refused.errorType, refused.message).MarshalJSON()
}

// Items returns a page of a model's items, whoever may read them. The token is that of the page
// before, or "". The error is [items.ErrToken] if it is none.
func (a *API) Items(ctx context.Context, m *schema.Model, token string, limit int) (
	items.Page, error) {
	return a.items.Query(ctx, items.Query{Table: a.tables[m], Token: token, Limit: limit})
}
