// What the program of the page is asked, for the widgets that begin with it.
const address = (path, given = {}) => new URL(path + '?' + new URLSearchParams(given), document.baseURI).href;

async function ask(path, given, method = 'GET', body = undefined) {
  const answer = await fetch(address(path, given), { method, body }).catch(() => null);
  if (!answer) throw new Error('The page cannot reach its program; is it still running?');
  if (!answer.ok) throw new Error(answer.status === 422 ? await answer.text() : `The program answers ${answer.status}.`);
  return answer.json();
}
