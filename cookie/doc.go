// Package cookie reads and writes Amplify sessions in cookies. The cookies are those of Amplify JS
// in the browser (js-cookie), so that a Go server, a browser and a Next.js server share one
// session.
//
// A [Store] gives access to the cookies of one request and its response. [HeaderStore] is the Store
// for net/http and for every other framework that has headers. [NewKeyValueStorage] makes a
// key-value storage of a Store. Token providers read and write that.
//
//	kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(r.Header, w.Header()), cookie.Options{})
//
// A Store for another framework takes two methods. Package cookietest has the tests for it.
//
// # Reading and writing
//
// Names and values are read in every spelling that is in use: percent-encoded by js-cookie, which
// escapes parentheses in names; percent-encoded by Amplify's adapters, which do not; unencoded, in
// UTF-8 or in Latin-1. They are written in one spelling, that of js-cookie. In it no value can end
// its cookie or add an attribute to it.
//
// What is written follows RFC 6265bis §4.1.1. What is read follows the more liberal §5.6 and
// §5.8.3, since that is what browsers send.
package cookie
