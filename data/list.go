package data

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
	"github.com/amplify-go/amplify/internal/introspection"
)

// ListInput is the input of [Model.List] and [Model.ListAll].
type ListInput struct {
	// Filter leaves items out. The API filters what it has read: all items of the table or, with a
	// Key, those of the key.
	Filter Filter
	// Index is the query of a secondary index, such as "notesByAuthor". It needs a Key. Without one
	// the table is listed, which has no order unless there is a Key.
	Index string
	// Key narrows the list to items that share a partition key; see [Key].
	Key Key
	// SortDirection is the order by the sort key. The default is [Ascending].
	SortDirection SortDirection
	// Limit is how many items are read for a page: 100 by default. Filter and rules then leave some
	// of them out: a page may have fewer items or none, and the next one more.
	Limit int
	// NextToken is that of the page before. ListAll begins with it.
	NextToken string
	// MaxRead bounds how many items ListAll has the API read: 10,000 by default.
	MaxRead int
	Options
}

// Page is a page of items. As a field of a struct it selects a has-many relation.
type Page[T any] struct {
	// Items has a zero T (a nil map or pointer) in place of an item that is null.
	Items []T `json:"items"`
	// NextToken is empty if this is the last page.
	NextToken string `json:"nextToken"`
}

// List returns a page of items. Of a page that has errors, it returns both.
func (m Model[T]) List(ctx context.Context, in ListInput) (*Page[T], error) {
	l, variables, err := m.m.list(in)
	if err != nil {
		return nil, err
	}
	op := operation{document: m.m.documents[l.query], variables: m.m.selection.with(variables)}
	page, err := send[Page[T]](ctx, m.m.api, l.query, op, in.over(m.options))
	switch {
	case page != nil:
		for i := range page.Items {
			m.m.flatten(&page.Items[i])
		}
	case err == nil:
		err = errNoList(l.query)
	}
	return page, err
}

// ListAll returns all items, page by page. It goes on over pages that filter or rules have emptied.
// An error ends it, also one of a page that has items. It ends with an error when it would read
// more than MaxRead items, when the server context closes and when the session of the request ends.
func (m Model[T]) ListAll(ctx context.Context, in ListInput) iter.Seq2[*T, error] {
	return listAll(ctx, in, m.List)
}

// defaultLimit is how many items AppSync's resolvers read for a page, and maxRead how many ListAll
// has them read, if the input does not say.
const (
	defaultLimit = 100
	maxRead      = 10_000
)

// listAll asks for pages until there are no more. It ends with the session that it began with:
// another one, which the request may have by then, is not the caller's.
func listAll[T any](
	ctx context.Context, in ListInput, list func(context.Context, ListInput) (*Page[T], error),
) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		server, err := amplify.FromContext(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		life := server.Lifetime()
		ctx, end := awsapi.Live(ctx, life)
		defer end()
		left, limit := cmp.Or(in.MaxRead, maxRead), in.Limit
		for {
			if in.Limit = limit; left < cmp.Or(limit, defaultLimit) {
				in.Limit = left
			}
			page, err := list(ctx, in)
			if life.Err() != nil { // after the call: the session may have ended meanwhile
				err = context.Cause(life)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page.Items {
				if !yield(&page.Items[i], nil) {
					return
				}
			}
			if page.NextToken == "" {
				return
			}
			if left -= cmp.Or(in.Limit, defaultLimit); left <= 0 {
				yield(nil, errTooMuch(cmp.Or(in.MaxRead, maxRead)))
				return
			}
			in.NextToken = page.NextToken
		}
	}
}

func errTooMuch(read int) error {
	return &amplify.Error{
		Name: invalidInput, Reason: amplify.ReasonInvalidRequest,
		Message: fmt.Sprintf("The list goes on after %d items have been read.", read),
		RecoverySuggestion: "Narrow it by a Key or an Index, which read fewer items than a " +
			"Filter does, show it in pages by List, or set MaxRead.",
	}
}

// list returns the query of a list and its variables.
func (m *model) list(in ListInput) (l listing, variables map[string]any, err error) {
	if m == nil {
		return l, nil, errZero("Model", "ModelOf")
	}
	found := false
	var indexes []string
	for _, candidate := range m.listings {
		if candidate.indexed {
			indexes = append(indexes, candidate.query)
		}
		if asked := in.Index != ""; asked == candidate.indexed &&
			(!asked || in.Index == candidate.query) {
			l, found = candidate, true
		}
	}
	switch {
	case !found && in.Index == "":
		return l, nil, hinted(errInvalid(m.of.Name, "the API cannot list all items of this model"),
			"List them by one of the indexes %q.", indexes)
	case !found:
		return l, nil, hinted(errInvalid(m.of.Name, "there is no index %q", in.Index),
			"There are %q.", indexes)
	case len(l.key) == 0 && in.SortDirection != "":
		return l, nil, hinted(errInvalid(m.of.Name, "%s has no order", l.query),
			"Use an index with a sort key.")
	}
	if variables, err = l.variables(m.wire, m.of, in.Key); err != nil {
		return l, nil, err
	}
	return l, variables, m.paging(in, m.of, variables)
}

// paging adds to variables what all lists of a model have.
func (w wire) paging(in ListInput, of *introspection.Model, variables map[string]any) error {
	filter, err := w.filtering(of).sent(in.Filter)
	switch {
	case err != nil:
		return err
	case in.Limit < 0 || in.MaxRead < 0:
		return errInvalid(of.Name, "a limit cannot be negative")
	case in.SortDirection != "" && in.SortDirection != Ascending && in.SortDirection != Descending:
		return hinted(errInvalid(of.Name, "%q is no sort direction", in.SortDirection),
			"Use data.Ascending or data.Descending.")
	}
	if filter != nil {
		variables["filter"] = filter
	}
	if in.SortDirection != "" {
		variables["sortDirection"] = in.SortDirection
	}
	if in.Limit != 0 {
		variables["limit"] = in.Limit
	}
	if in.NextToken != "" {
		variables["nextToken"] = in.NextToken
	}
	return nil
}

// errNoList is the error for an answer without a list and without errors.
func errNoList(query string) error {
	return &amplify.Error{Name: unknownError, Message: "The answer has no " + query + "."}
}
