// Offers the newest sound as a patch, packed with its notes, as a file to keep; returns a message, empty if all is well.
async () => {
  const address = new URL('sound/patch.zip?request=' + encodeURIComponent(window.synthExplorerRequest || ''), document.baseURI);
  const said = document.createElement('p');
  said.className = 'message';
  said.setAttribute('role', 'alert');
  try {
    const answer = await fetch(address);
    if (!answer.ok) {
      said.textContent = await answer.text();
      return said.outerHTML;
    }
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await answer.blob());
    link.download = 'patch.zip';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    return '';
  } catch (error) {
    said.textContent = 'The connection was lost.';
    return said.outerHTML;
  }
}
