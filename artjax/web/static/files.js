// Picture files that the user chooses, drops or pastes.
import {complain, on} from '/talk.js';
import {t} from '/text.js';

// take: gets them, a list.
export function receive(take) {
  for (const input of document.querySelectorAll('.file[multiple]'))
    input.addEventListener('change', async () => {
      await take([...input.files]);
      input.value = '';
    });
  on('example', 'click', async () => {
    const answer = await fetch('/example.jpg');
    await take([new File([await answer.blob()], 'example.jpg')]);
  });
  document.addEventListener('paste', event => {
    const files = [...event.clipboardData.files];
    if (files.length) take(files);
    else if (!event.target.closest('input, textarea'))
      complain(t('error.clipboard'));
  });
  document.addEventListener('dragover', event => {
    event.preventDefault();
    document.body.classList.add('over');
  });
  document.addEventListener('dragleave', event => {
    if (!event.relatedTarget) document.body.classList.remove('over');
  });
  document.addEventListener('drop', event => {
    event.preventDefault();
    document.body.classList.remove('over');
    take([...event.dataTransfer.files]);
  });
}
