// Package data calls the GraphQL API of an Amplify backend, which is AppSync's, as the user who sent
// a request, or as a guest. [GraphQL] sends a document.
//
// It takes the context of a request, which must carry a server context. The middleware of a runner
// or [amplify.RunWithServerContext] adds one.
//
//	func titles(w http.ResponseWriter, r *http.Request) {
//		type answer struct {
//			ListNotes struct {
//				Items []struct{ Title string }
//			}
//		}
//		out, err := data.GraphQL[answer](r.Context(), data.Request{
//			Query:     "query ($limit: Int) { listNotes(limit: $limit) { items { title } } }",
//			Variables: map[string]any{"limit": 20},
//		})
//		…
//	}
//
// # Options in place of clients
//
// In JavaScript, generateServerClientUsingCookies, generateServerClientUsingReqRes and
// generateClient make a client, which has a few options. Here there is no client: the context says
// who is calling, and [Options] have what a JavaScript client has. They are given once for an App
// ([Configure]) or for one call. Those of the call win, then those of the App, then the
// configuration.
//
// # Errors
//
// An answer may have data and errors. Functions then return both. The error of a call is an
// [*amplify.Error] with the errorType of the first error, such as "Unauthorized", or the name that
// Amplify JS has. [errors.As] finds the first [*GraphQLError] in it, or all as [GraphQLErrors].
//
// # What is sent again
//
// A query is sent up to three times if it fails for the moment: the connection breaks, or the
// status is 429 or 5xx. A mutation is sent again only if it cannot have had its effect: no
// connection could be opened, or the status is 429. Amplify JS repeats mutations like queries,
// which may create an item twice.
package data
