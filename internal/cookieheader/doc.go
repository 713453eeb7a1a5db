// Package cookieheader reads Cookie headers and the spellings of cookies' names and values. It is
// the part of package cookie that does without net/http, which is large: programs at the edge read
// sessions by it as well.
package cookieheader
