package data

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/amplify-go/amplify"
)

// maxDocuments is how many documents are remembered. Applications have some dozens.
const maxDocuments = 1000

// maxTokens is how many tokens a document may have. The parser recurses: a document of some million
// braces would take more stack than a program may have.
const maxTokens = 100_000

// documents remembers what was found of documents, by their hash: to parse one takes a tenth of
// what a call takes. It is safe for concurrent use.
type documents struct {
	mu    sync.RWMutex
	known map[[sha256.Size]byte]bool // whether those that can be sent are mutations
}

// isMutation reports whether the operation of r changes data. It returns an error if r cannot be
// sent.
func (d *documents) isMutation(r Request) (mutation bool, err error) {
	id := sha256.Sum256([]byte(r.OperationName + "\x00" + r.Query))
	d.mu.RLock()
	mutation, ok := d.known[id]
	d.mu.RUnlock()
	if ok {
		return mutation, nil
	}
	if mutation, err = r.isMutation(); err != nil {
		return false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || len(d.known) == maxDocuments {
		d.known = map[[sha256.Size]byte]bool{}
	}
	d.known[id] = mutation
	return mutation, nil
}

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
		noOperation := "The document has no operation."
		if r.OperationName != "" {
			noOperation = fmt.Sprintf("The document has no operation %q.", r.OperationName)
		}
		return false, &amplify.Error{
			Name: graphQLErrorName, Reason: amplify.ReasonInvalidRequest,
			Message:            noOperation,
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
