// Package ui has what the sandbox's pages share: the style sheet,
// templates in a common frame, headers that protect a page from being
// framed, sniffed or cached, and forms that other sites cannot submit.
//
// Its pages need no scripts, and the content security policy allows none.
package ui
