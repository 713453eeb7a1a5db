package graphql

import "github.com/vektah/gqlparser/v2/ast"

const (
	// maxDepth is how deep a document may nest fields (AppSync Developer Guide, "Configuring
	// GraphQL run complexity, query depth, and introspection": the largest depth that can be set).
	// Each level keeps what its parent read.
	maxDepth = 75
	// maxWeight bounds the pairs of fields that validation compares.
	maxWeight = 1_000_000
)

// weight sums up how many pairs of fields may be merged: those that have one name in the response,
// in selections that belong together. The fragments of the document must have no cycles.
type weight struct {
	pairs int
	deep  bool
}

// exceeds reports whether the document asks for too much.
func (w *weight) exceeds() bool { return w.deep || w.pairs > maxWeight }

// add adds the pairs of selections that are merged, and of all below them.
func (w *weight) add(merged []ast.SelectionSet, depth int) {
	fields := map[string][]ast.SelectionSet{}
	spread := map[*ast.FragmentDefinition]bool{}
	var visit func(set ast.SelectionSet)
	visit = func(set ast.SelectionSet) {
		for _, s := range set {
			if w.pairs++; w.exceeds() {
				return
			}
			switch s := s.(type) {
			case *ast.Field:
				same := fields[s.Alias]
				w.pairs += len(same)
				fields[s.Alias] = append(same, s.SelectionSet)
			case *ast.InlineFragment:
				visit(s.SelectionSet)
			case *ast.FragmentSpread:
				if !spread[s.Definition] {
					spread[s.Definition] = true
					visit(s.Definition.SelectionSet)
				}
			}
		}
	}
	for _, set := range merged {
		visit(set)
	}
	if w.deep = w.deep || depth > maxDepth && len(fields) > 0; w.exceeds() {
		return
	}
	for _, sets := range fields {
		w.add(sets, depth+1)
	}
}
