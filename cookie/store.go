package cookie

import "net/http"

// Store gives access to the cookies of one request and of its response. A web framework needs two
// short methods to be adapted. The stores of this library are [HeaderStore] and the one that
// package amplifyhttp uses. Package cookietest tests any other.
//
// A Store may have further abilities: see [WritableStore], [AtomicStore] and [PendingStore].
//
// A Store need not be safe for concurrent use by several goroutines: [KeyValueStorage] makes one
// call at a time.
type Store interface {
	// CookieHeader returns the lines of the request's Cookie header, in the order in which they
	// were sent. Nothing is decoded, and duplicates are kept. A framework that has nothing but
	// parsed cookies joins them to one line, "name=value; name=value", with names and values
	// unchanged.
	//
	// The slice and its strings stay valid and unchanged until the request has ended. They are
	// not used after that: what the library keeps longer it copies. A framework that uses its
	// buffers again for the next request can therefore return its own memory.
	CookieHeader() []string

	// Set adds c to the response. It replaces a cookie that was set before with the same name,
	// Domain and Path. Other cookies of that name stay: one response can set a cookie of a domain
	// and delete the cookie that the host has under the same name.
	//
	// A cookie whose MaxAge is negative deletes one in the browser. It has the Domain and Path of
	// that cookie, and is sent as it is, with Max-Age=0.
	//
	// Names and values are encoded already. [Format] makes the Set-Cookie line of a cookie, even
	// for a name that [http.Cookie.String] refuses. [Add] keeps the lines of a response.
	Set(c *http.Cookie)
}

// WritableStore is a [Store] that knows whether its response still takes cookies. Any other Store
// is taken to be always writable.
type WritableStore interface {
	Store

	// Writable reports whether a cookie that is set now still reaches the browser. It returns
	// false once the header of the response has gone, and for a request without a response.
	Writable() bool
}

// AtomicStore is a [Store] that sets several cookies at once. Without it, cookies are set one
// after the other. It is for responses whose header can go while cookies are being set, for
// instance because another goroutine writes the body: a browser must not get half a session.
type AtomicStore interface {
	Store

	// SetAll adds all cookies to the response, as Set does, and returns true. Once the header of
	// the response has gone it adds none and returns false.
	SetAll(cookies []*http.Cookie) bool
}

// PendingStore is a [Store] that shows the cookies that its response holds already. A
// [KeyValueStorage] reads them when it is made, so that of two storages, made one after the other
// for one response, the second reads what the first has written.
type PendingStore interface {
	Store

	// SetCookieHeader returns the lines of the response's Set-Cookie header. The slice and its
	// strings stay valid until the next call of one of the store's methods.
	SetCookieHeader() []string
}
