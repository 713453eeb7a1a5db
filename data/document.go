package data

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/amplify-go/amplify"
)

// maxTokens bounds how many tokens a document has, and so how deep it is: the parser calls itself
// for each level.
const maxTokens = 15_000

// isMutation parses the document, and reports whether the operation that is asked for changes data.
// If that cannot be told, one of several that does is enough.
func (r Request) isMutation() (bool, error) {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: r.Query}, maxTokens)
	if err != nil {
		return false, syntaxError(err)
	}
	operations := doc.Operations
	if r.OperationName != "" {
		operations = nil
		if o := doc.Operations.ForName(r.OperationName); o != nil {
			operations = ast.OperationList{o}
		}
	}
	if len(operations) == 0 {
		return false, &amplify.Error{
			Name: graphQLErrorName, Reason: amplify.ReasonInvalidRequest,
			Message:            strings.TrimSpace("The document has no operation "+r.OperationName) + ".",
			RecoverySuggestion: "Write a query or a mutation. Fragments alone cannot be sent.",
		}
	}
	mutation := false
	for _, o := range operations {
		switch o.Operation {
		case ast.Subscription:
			return false, &amplify.Error{
				Name: graphQLErrorName, Reason: amplify.ReasonInvalidRequest,
				Message:            "A subscription cannot be sent as a request.",
				RecoverySuggestion: "Send a query or a mutation.",
			}
		case ast.Mutation:
			mutation = true
		}
	}
	return mutation, nil
}

// syntaxError returns the error for a document that cannot be parsed, with graphql-js's words.
func syntaxError(err error) error {
	e := &amplify.Error{
		Name: graphQLErrorName, Reason: amplify.ReasonInvalidRequest, Message: err.Error(),
		RecoverySuggestion: "Correct the document.",
	}
	var syntax *gqlerror.Error
	if errors.As(err, &syntax) {
		e.Message = "Syntax Error: " + syntax.Message + "."
		if len(syntax.Locations) > 0 {
			at := syntax.Locations[0]
			e.RecoverySuggestion = fmt.Sprintf("Correct the document at line %d, column %d.",
				at.Line, at.Column)
		}
	}
	return e
}
