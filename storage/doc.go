// Package storage reads and manages files in Amazon S3 as the user who sent a request, or as a
// guest. [GetURL], [GetProperties], [List], [Remove], [Copy] and [UploadData] have the names and
// results of the functions in aws-amplify/storage/server. [DownloadData], [ListAll] and [Locations]
// have no counterpart there.
//
// They take the context of a request, which must carry a server context. The middleware of a runner
// or [amplify.RunWithServerContext] adds one. The buckets come from the configuration; the identity
// pool gives the credentials, and S3 decides what they allow.
//
//	func photo(w http.ResponseWriter, r *http.Request) {
//		in := storage.GetURLInput{Path: storage.Path("photos/a.png")}
//		out, err := storage.GetURL(r.Context(), in)
//		if err != nil {
//			…
//		}
//		http.Redirect(w, r, out.URL, http.StatusSeeOther)
//	}
//
// An error of S3 is an [*amplify.Error] with the name that S3 gives it, such as "NoSuchKey". The
// reason and the suggestion of an "AccessDenied" tell whether a rule of the outputs would allow the
// call. Calls that fail for the moment are sent up to three times.
//
// Data is never in memory as a whole. A download is read as it comes. An upload of a file, or of
// another body that can seek, is sent as it is read. Other bodies pass through buffers, which all
// uploads of an App share: see Options.UploadMemory.
//
// Access grants and the components of Amplify's Storage Browser are not part of this package.
package storage
