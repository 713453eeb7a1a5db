// Package flow signs users in and out of a web application and guards its pages, whatever the web
// framework. Applications on net/http use package amplifyhttp, which is a thin layer on top of this
// one; this package is for those who write such a layer for another framework.
//
// A [Runner] is made once. For each request an adapter begins an [Exchange] and, before
// the final header of the response is sent, completes the header with
// [Exchange.Commit]. In between, the exchange is the source of the request's tokens and
// credentials, starts and ends its session, and keeps the cookies that are set.
// [Routes] and [Guard] answer requests with a [Response], which the adapter writes.
//
//	var x flow.Exchange
//	runner.Begin(&x, r)
//	if err := guard.Check(&x, r); err != nil {
//		answer := guard.Deny(&x, r, err)
//		x.Commit(answer.Header)
//		...
//	}
//
// # Prefixes
//
// Browsers may see an application below a prefix that its handlers do not see. The prefix is what a
// proxy takes off, which [Options.BasePath] says, and then what [http.StripPrefix] or the like has
// taken off before [Runner.Begin] is called, which is told from RequestURI and URL of the request.
// What is taken off later belongs to the application.
//
// Paths in settings are those of the application: its prefix is put in front of them. Paths in
// requests, such as return_to, and redirect URLs in the configuration are as browsers see them.
package flow
