// Package static keeps pages that are the same for all readers: HTML, JSON or anything else that is
// rendered in the context of a guest, served from memory, and rendered again when it is due. It is
// what static rendering and getStaticProps with revalidate are in Next.js.
//
//	pages, err := static.New(runner, static.Options{})
//	defer pages.Close(ctx)
//
//	splash, err := pages.Page(static.PageOptions{Name: "splash", Render: renderSplash})
//	mux.Handle("GET /splash", splash)
//
//	func renderSplash(ctx context.Context, r static.Request) (*static.Content, error) {
//		in := storage.GetURLInput{Path: storage.Path("public/splash.png")}
//		out, err := storage.GetURL(ctx, in)
//		if err != nil {
//			return nil, err
//		}
//		…
//		return &static.Content{Body: page.Bytes(), Expires: out.ExpiresAt}, nil
//	}
//
// # How long a page is good
//
// A page is fresh for Revalidate, from the start of its render on. The first reader after that gets
// it once more, at once, and starts the render of the next one. So readers never wait for Cognito
// or S3 while there is a page, and a page that nobody reads costs nothing. Its first reader after a
// long time gets an old page.
//
// Expires of [Content] is the hard limit: from then on the page is not served, and readers wait for
// the next one. Set it where an old page would be wrong, for instance to ExpiresAt of a presigned
// URL, and a little earlier if readers take their time to follow the URL. The page is rendered
// again after three quarters of the time until then.
//
// If a render fails, the last good page stays until it expires. The next render waits for a second,
// and twice as long after each further failure, up to a minute. If there is no page, readers get
// status 503 meanwhile: see PageOptions.Failed.
//
// A page that does not exist is a page, too: Content with status 404, which is kept as others are.
//
// [Pages.Invalidate] says that something has changed. [Page.Refresh] also waits for the new page.
//
// # Variants
//
// A page with parameters, such as "GET /posts/{slug}", has a variant for each value, and the values
// come from visitors. A variant is rendered once, however many readers wait for it. How many are
// kept, are rendered at once, and are rendered again in a minute is bounded by [Options]. The query
// of a request matters only as far as PageOptions.Query lists it.
//
// # Browsers and CDNs
//
// Browsers ask each time, and are told 304 if they have the page already. Shared caches may serve a
// page until it is due, and a page that is due they may not keep at all:
//
//	Cache-Control: public, max-age=0, must-revalidate, s-maxage=1800
//
// A Cache-Control that a middleware has set stays as it is.
//
// # No user
//
// The context of a render belongs to no request. Storage and data act as the guest of the process,
// if the identity pool allows guests. APIs that need a session fail with
// [amplify.ReasonStaticPage].
package static
