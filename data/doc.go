// Package data reads and writes the data of an Amplify backend as the user who sent a request, or
// as a guest, through its GraphQL API, which is AppSync's. A [Model] gets, lists, creates, updates
// and deletes items; a [Relation] and an [Operation] stand beside it. [GraphQL] sends any document.
//
// Calls take the context of a request, which must carry a server context. The middleware of a
// runner or [amplify.RunWithServerContext] adds one. The API decides what the caller may do.
//
//	type Note struct {
//		ID, Title string
//		CreatedAt time.Time
//	}
//	notes, err := data.ModelOf[Note](runner.App(), "Note") // once, at the start
//
//	func list(w http.ResponseWriter, r *http.Request) {
//		page, err := notes.List(r.Context(), data.ListInput{Limit: 20})
//		…
//	}
//
// A model is made from the description of the backend in the outputs: what the API does not have
// is an error then, and not in the middle of a request. Documents are made once, and values are
// sent as their variables.
//
// # Options in place of clients
//
// In JavaScript, generateServerClientUsingCookies, generateServerClientUsingReqRes and
// generateClient make a client, which has a few options. Here there is no client: the context says
// who is calling, and [Options] have what a JavaScript client has. They are given for an App
// ([Configure]), for a model, relation or operation (With), or for one call. Those of the call win,
// then those of the model, then those of the App, then the configuration.
//
// # Errors
//
// An answer may have data and errors. Functions then return both. The error of a call is an
// [*amplify.Error] with the errorType of the first error, such as "Unauthorized", or the name that
// Amplify JS has. [errors.As] finds the first [*GraphQLError] in it, or all as [GraphQLErrors]. If
// the API refuses the call or a field, the reason is [amplify.ReasonNotAuthorized].
//
// # What is sent again
//
// A query is sent up to three times if it fails for the moment: the connection breaks, no answer
// comes, or the status is 429 or 5xx. A mutation is sent again only if it cannot have had its
// effect: no connection could be opened, or the status is 429. Otherwise an item might be created
// twice. A signed call whose AWS credentials have expired is sent once more with new ones.
//
// # Limits
//
// An attempt ends after 35 seconds, a little more than AppSync takes at most. An HTTP client of
// one's own ([amplify.Options]) should not end it sooner. An answer has 8 MiB at most. A call ends
// with its context, and with the session of the request.
//
// Subscriptions are not part of this package.
package data
