package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/data"
)

// notebook has the notes of all visitors. Each request reads and writes them as its own user: the
// API itself enforces who may do what. An Amplify project writes these rules as
//
//	const schema = a.schema({
//	  Note: a.model({
//	    title: a.string().required(),
//	    text: a.string().required(),
//	    author: a.string().required(),
//	    version: a.integer().required(),
//	    createdAt: a.datetime().required(),
//	    owner: a.string().authorization((allow) => [
//	      allow.owner().to(['read', 'delete']),
//	      allow.group('admins').to(['read', 'delete']),
//	    ]),
//	    comments: a.hasMany('Comment', 'noteId'),
//	  })
//	    .secondaryIndexes((index) => [
//	      index('owner').sortKeys(['createdAt']).queryField('notesByOwner'),
//	    ])
//	    .authorization((allow) => [
//	      allow.owner(),
//	      allow.group('admins').to(['read', 'delete']),
//	    ]),
//	  Comment: a.model({
//	    noteId: a.id().required(),
//	    note: a.belongsTo('Note', 'noteId'),
//	    text: a.string().required(),
//	    author: a.string().required(),
//	    createdAt: a.datetime().required(),
//	    noteOwner: a.string(),
//	  })
//	    .secondaryIndexes((index) => [
//	      index('noteId').sortKeys(['createdAt']).queryField('commentsByNote'),
//	    ])
//	    .authorization((allow) => [
//	      allow.ownerDefinedIn('noteOwner').to(['create', 'read', 'delete']),
//	      allow.group('admins').to(['create', 'read', 'delete']),
//	    ]),
//	});
//
// The rule of the field owner keeps a note's owner from giving it to somebody else. A comment
// belongs to the owner of its note, so that nobody else can put one there but admins. Authors are
// names for people to read: no rule depends on them.
type notebook struct {
	entries  data.Model[entry]
	notes    data.Model[note]
	comments data.Model[comment]
	ofNote   data.Relation[comment] // Note.comments
}

// entry is a note as lists show it. The comments come along in the same call.
type entry struct {
	ID, Title, Author string
	CreatedAt         time.Time
	Comments          data.Page[struct{ ID string }] `data:"limit=10"`
}

// CommentCount says how many comments there are, for people.
func (e entry) CommentCount() string {
	switch n := len(e.Comments.Items); {
	case e.Comments.NextToken != "":
		return fmt.Sprintf("%d comments or more", n)
	case n == 1:
		return "1 comment"
	case n == 0:
		return "no comments"
	default:
		return fmt.Sprintf("%d comments", n)
	}
}

// note is a note as its own page shows it.
type note struct {
	ID, Title, Text, Author, Owner string
	Version                        int
	CreatedAt, UpdatedAt           time.Time
}

// comment is a comment of a note.
type comment struct {
	ID, Text, Author string
	CreatedAt        time.Time
}

// newNotebook checks the types above against the description of the backend.
func newNotebook(app *amplify.App) (n notebook, err error) {
	var errs [3]error
	n.entries, errs[0] = data.ModelOf[entry](app, "Note")
	n.notes, errs[1] = data.ModelOf[note](app, "Note")
	n.comments, errs[2] = data.ModelOf[comment](app, "Comment")
	if err := errors.Join(errs[:]...); err != nil {
		return notebook{}, err
	}
	n.ofNote, err = data.RelationOf[comment](n.notes, "comments")
	return n, err
}

// own returns a page of the notes of the request's user, the newest first.
func (n notebook) own(ctx context.Context, token string) (*data.Page[entry], error) {
	user, err := auth.GetCurrentUser(ctx)
	if err != nil {
		return nil, err
	}
	return n.entries.List(ctx, data.ListInput{
		Index:         "notesByOwner",
		Key:           data.Key{"owner": user.UserID + "::" + user.Username}, // as Amplify stores it
		SortDirection: data.Descending,
		Limit:         notesPerPage,
		NextToken:     token,
	})
}

// all returns a page of the notes that the request's user may see. It has no order.
func (n notebook) all(ctx context.Context, token string) (*data.Page[entry], error) {
	return n.entries.List(ctx, data.ListInput{Limit: notesPerPage, NextToken: token})
}

// get returns a note, and whether it belongs to the request's user.
func (n notebook) get(ctx context.Context, id string) (got *note, own bool, err error) {
	user, err := auth.GetCurrentUser(ctx)
	if err != nil {
		return nil, false, err
	}
	got, err = n.notes.Get(ctx, data.GetInput{Key: data.ID(id)})
	if err != nil {
		return nil, false, err
	}
	return got, got.Owner == user.Username, nil // of a stored owner the API shows the username
}

// remove deletes a note. Its comments go first: without the note nobody would find them.
func (n notebook) remove(ctx context.Context, id string) error {
	const most = 1000 // comments at a time
	for c, err := range n.ofNote.ListAll(ctx, data.RelationInput{Of: data.ID(id), MaxRead: most}) {
		if err != nil {
			return err
		}
		if err := n.removeComment(ctx, c.ID); err != nil {
			return err
		}
	}
	_, err := n.notes.Delete(ctx, data.DeleteInput{Key: data.ID(id)})
	return err
}

// removeComment deletes a comment, if it is still there.
func (n notebook) removeComment(ctx context.Context, id string) error {
	_, err := n.comments.Delete(ctx, data.DeleteInput{Key: data.ID(id)})
	if conditionFailed(err) {
		return nil
	}
	return err
}

// conditionFailed reports whether a mutation has failed because of its condition, or because there
// is no such item, which is a condition of its own.
func conditionFailed(err error) bool {
	e, ok := errors.AsType[*amplify.Error](err)
	return ok && e.Name == "DynamoDB:ConditionalCheckFailedException"
}
