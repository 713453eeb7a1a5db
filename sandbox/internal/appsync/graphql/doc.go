// Package graphql runs documents on a schema, and refuses them, in the words of AppSync. It knows
// no models and no rules: a [Resolver] gives the values of fields.
//
// Values of variables, arguments and fields are nil, bool, string, int64, float64, []any or
// map[string]any. A missing member of a map differs from nil.
package graphql
