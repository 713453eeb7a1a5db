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
package flow
