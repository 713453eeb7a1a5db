// The upload form of the album, with a progress bar. Without this script the browser sends the form
// as it is, and the server does the same with it.
const form = document.getElementById('upload');
const button = form?.querySelector('button');
const bar = document.getElementById('bar');
const doing = document.getElementById('doing');
const notices = document.getElementById('notices');

form?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const files = [...form.elements.photo.files];
  const total = files.reduce((sum, file) => sum + file.size, 0);
  button.disabled = true;
  notices.replaceChildren();
  document.getElementById('progress').hidden = false;

  let done = 0; // bytes
  let stored = 0; // photos
  for (const [i, file] of files.entries()) {
    doing.textContent = `Uploading ${i + 1} of ${files.length}: ${file.name}`;
    try {
      if (file.size > Number(form.dataset.maxBytes)) { // the server would refuse it in the end
        throw new Error('This photo is too large. A photo may have 32 MiB.');
      }
      await send(file, (sent) => { bar.value = (done + Math.min(sent, file.size)) / total; });
      stored++;
    } catch (error) {
      say(file.name, error.message);
    }
    done += file.size;
    bar.value = done / total;
  }
  await showAlbum();
  doing.textContent = `${stored} of ${files.length} uploaded.`;
  form.reset();
  button.disabled = false;
});

// send uploads one file. It uses XMLHttpRequest, since fetch does not tell how far it is.
function send(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', form.action);
    request.setRequestHeader('Accept', 'application/json');
    request.responseType = 'json';
    request.upload.addEventListener('progress', (event) => onProgress(event.loaded));
    request.addEventListener('load', () => {
      if (request.status === 201) {
        resolve();
      } else if (request.status === 401) {
        reject(new Error('Your session has ended. Sign in again, then upload it once more.'));
      } else {
        reject(new Error(request.response?.advice ?? 'Something broke on our side. Try again.'));
      }
    });
    request.addEventListener('error', () => reject(new Error('The connection broke. Try again.')));
    const body = new FormData();
    body.append('photo', file);
    request.send(body);
  });
}

// showAlbum shows the photos that the album has now.
async function showAlbum() {
  const response = await fetch('/photos').catch(() => null);
  if (response?.ok) {
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    document.getElementById('hung').replaceWith(page.getElementById('hung'));
  }
}

// say shows what became of a file.
function say(name, advice) {
  const notice = document.createElement('div');
  notice.className = 'notice warn';
  const title = document.createElement('strong');
  title.textContent = name;
  notice.append(title, ` ${advice}`);
  notices.append(notice);
}
