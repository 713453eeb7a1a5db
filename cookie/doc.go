// Package cookie keeps an Amplify session in cookies, spelled as Amplify JS
// spells them in the browser (js-cookie), so that a Go server, a browser and a
// Next.js server can share one session.
//
// A [Store] is what a web framework offers: the cookies of one request and of
// its response. [HeaderStore] is the one for net/http and for everything else
// that has headers. [NewKeyValueStorage] makes of a Store the key-value storage
// that token providers read and write.
//
//	kv := cookie.NewKeyValueStorage(cookie.NewHeaderStore(r.Header, w.Header()), cookie.Options{})
//
// # Reading and writing
//
// Names and values are read in every spelling that has been seen: percent-encoded by
// js-cookie (which escapes parentheses in names) or by Amplify's adapters (which do not),
// unencoded, in UTF-8 or in Latin-1. They are written in one spelling, js-cookie's, in which
// no value can end its cookie or add an attribute to it. What is written follows
// RFC 6265bis §4.1.1; what is read follows the more liberal §5.6 and §5.8.3, since that is what
// browsers send.
package cookie
