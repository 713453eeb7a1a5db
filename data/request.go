package data

import (
	"context"

	"github.com/amplify-go/amplify"
)

// Request is one document for a GraphQL API.
type Request struct {
	// Query is the document: a query or a mutation, as text. It is sent as it is written. Values go
	// into Variables, and never into the text: there they could change what it means.
	Query string
	// Variables are the values of the document's variables. They are sent as JSON.
	Variables map[string]any
	// OperationName selects one of several operations in the document.
	OperationName string
	Options
}

// GraphQL sends a document to the API and decodes the data of its answer, a JSON object with a
// member for each field of the operation, into a T. A T of [json.RawMessage] takes it as it is.
//
// If the answer has errors, GraphQL returns them and the data that there is nevertheless, which may
// be nil. It corresponds to client.graphql of Amplify JS, which rejects with both.
func GraphQL[T any](ctx context.Context, r Request) (*T, error) {
	server, err := amplify.FromContext(ctx)
	if err != nil {
		return nil, err
	}
	s, err := serviceOf(server.App())
	if err != nil {
		return nil, err
	}
	mutation, err := s.documents.isMutation(r)
	if err != nil {
		return nil, err
	}
	op := operation{document: r.Query, name: r.OperationName, mutation: mutation}
	if r.Variables != nil {
		op.variables = r.Variables
	}
	return call[T](ctx, op, r.Options)
}
