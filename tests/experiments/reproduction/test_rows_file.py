"""Rows of the user in a CSV file."""

from __future__ import annotations

import pytest

from hrnet_plugin.experiments.reproduction import read_rows

HEADER = 'config,checkpoint,images,mIoU'


@pytest.fixture
def read(tmp_path):
    def read_text(*lines):
        (tmp_path / 'rows.csv').write_text('\n'.join(lines) + '\n')
        return read_rows(tmp_path / 'rows.csv')
    return read_text


def test_a_row_without_optional_columns(read, tmp_path):
    (tmp_path / 'mine.py').touch()
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a/best.pth').touch()
    row, = read(HEADER, 'mine.py,a/best.pth,12,40.5')
    assert (row.name, row.file, row.images, row.expected) == ('best', 'best.pth', 12, {'mIoU': 40.5})
    assert (row.config, row.address) == (str(tmp_path / 'mine.py'), str(tmp_path / 'a/best.pth'))


def test_all_columns(read):
    row, = read('name,config,checkpoint,sha256,data,split,images,test,options,AP,mask AP',
                'n,NAME,https://host/x.pth,ABCD1234,COCO,val2017,5000,"scales, flip","a.b=1 c=[1,2]",40,')
    assert (row.name, row.config, row.address, row.sha256) == ('n', 'NAME', 'https://host/x.pth', 'abcd1234')
    assert (row.data, row.split, row.test, row.options) == ('COCO', 'val2017', 'scales, flip', ('a.b=1', 'c=[1,2]'))
    assert row.expected == {'AP': 40}  # an empty cell is no figure


@pytest.mark.parametrize(('lines', 'message'), [
    (['config,checkpoint,mIoU', 'a,b,1'], "rows.csv must have the columns config, checkpoint, images, got none with "
                                          "the name 'images'"),
    (['config,checkpoint,images', 'a,b,1'], 'must have a column with the name of a metric'),
    ([HEADER], 'must have rows, got none'),
    ([HEADER, 'a,b,2,x'], "line 2: mIoU must be a number, got 'x'"),
    ([HEADER, 'a,b,2,nan'], "mIoU must be a number, got 'nan'"),
    ([HEADER, 'a,b,2,'], 'at least one metric must have a value'),
    ([HEADER, 'a,b,0,1'], "images must be the number of tested images, at least 1, got '0'"),
    ([HEADER, 'a,b.pth,2,1', 'a,,2,1'], 'line 3: checkpoint must not be empty'),
    ([HEADER, 'a,b,2'], 'line 2: the row must have as many cells as the header'),
    ([HEADER, 'a,b,2,1,5'], 'line 2: the row must have as many cells as the header'),
    ([HEADER, 'a,x/b.pth,2,1', 'a,y/b.pth,2,1'], "different names, got 'b' twice. Add the column name"),
    ([f'{HEADER},mIoU', 'a,b,2,1,5'], "must have columns with different names, got 'mIoU' twice"),
    ([f'{HEADER},sha256', 'a,b,2,1,0123abc'], "sha256 must be 8 to 64 hexadecimal digits, got '0123abc'"),
    ([f'{HEADER},sha256', 'a,b,2,1,0123abcx'], "sha256 must be 8 to 64 hexadecimal digits, got '0123abcx'"),
    ([f'{HEADER},test', 'a,b,2,1,flips'], "test must be one of .*Did you mean flip"),
    ([f'{HEADER},options', 'a,b,2,1,flip'], "options must be KEY=VALUE, separated by spaces, got 'flip'"),
    ([f'name,{HEADER}', '../x,a,b,2,1'], "name must consist of letters, digits and ._.-, got '../x'"),
])
def test_invalid_files_are_named(lines, message, read):
    with pytest.raises(ValueError, match=message):
        read(*lines)


def test_a_file_of_a_spreadsheet(tmp_path):
    (tmp_path / 'rows.csv').write_bytes(f'\ufeff{HEADER}\r\na,ü/ñ.pth,2,1\r\n\r\n'.encode())
    row, = read_rows(tmp_path / 'rows.csv')
    assert (row.name, row.config, row.expected) == ('ñ', 'a', {'mIoU': 1})


def test_a_binary_file_is_named(tmp_path):
    (tmp_path / 'rows.csv').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(ValueError, match=r'rows\.csv must be a CSV file in UTF-8'):
        read_rows(tmp_path / 'rows.csv')
